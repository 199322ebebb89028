"""Writes `methods.json` and METHODS.md from the configuration classes of the PEFT that is installed.

    python plugins/adapter/peft/tools/describe_methods.py [--check]

So the planner knows every option of every method, with its type, default and help, and imports nothing.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import re
import sys
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import peft
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING, PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTuner

HERE = Path(__file__).parents[1]
DATA, PAGE = HERE / "src" / "tunesmith_peft" / "methods.json", HERE / "METHODS.md"

#: Methods of PEFT that this bridge does not carry, and why.
NOT_CARRIED = {
    "adamss": "it needs scikit-learn, and its allocation of subspaces has to be told of every step",
    "adalora": "it has to be told of every step: use the adapter `adalora`",
    "adaption_prompt": "it replaces whole attention modules, which would not know where packed sequences begin",
    "poly": "it wants a task's number with every row",
    "shadow": "it runs a second model beside the first",
    "xlora": "it mixes adapters that were trained before",
    "prompt_tuning": "it puts tokens before the sequence: use the adapter `prompt`",
    "multitask_prompt_tuning": "it puts tokens before the sequence: use the adapter `prompt`",
    "p_tuning": "it puts tokens before the sequence: use the adapter `prompt`",
    "cpt": "it puts tokens before the sequence: use the adapter `prompt`",
    "prefix_tuning": "it puts keys and values before the sequence: use the adapter `prefix`",
    "cartridge": "it puts keys and values before the sequence: use the adapter `prefix`",
}
_INTERNAL = {field.name for field in dataclasses.fields(peft.PeftConfig)} | {
    "runtime_config", "megatron_config", "megatron_core",  # not of the adapter, but of where it runs
    "eva_config", "corda_config", "lora_ga_config",  # of starts that need data first
}  # fmt: skip
_NEED_DATA = {"eva", "corda", "lora_ga"}
_ORDER = ("boolean", "integer", "number", "string", "array", "object", "null")
_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}


def describe() -> dict[str, Any]:
    """``{"peft": version, "methods": {name: {"summary", "options": JSON Schema}}, "not_carried": {name: reason}}``."""
    methods = {}
    for type_, config in PEFT_TYPE_TO_CONFIG_MAPPING.items():
        name = type_.value.lower()
        if name in NOT_CARRIED:
            continue
        assert issubclass(PEFT_TYPE_TO_TUNER_MAPPING[type_], BaseTuner), f"{name} is new and of another kind: say why in NOT_CARRIED"
        methods[name] = {"config": config.__name__, "options": schema(config)}
    unknown = set(NOT_CARRIED) - {type_.value.lower() for type_ in PEFT_TYPE_TO_CONFIG_MAPPING}
    assert not unknown, f"PEFT has no {unknown} any more"
    return {"peft": peft.__version__, "methods": dict(sorted(methods.items())), "not_carried": NOT_CARRIED}


def schema(config: type) -> dict[str, Any]:
    """The JSON Schema of a configuration's options, as `tunesmith.contracts.settings` reads it."""
    hints = typing.get_type_hints(config)
    properties = {}
    for field in dataclasses.fields(config):
        if field.name in _INTERNAL or not field.init:
            continue
        entry = _type(hints[field.name])
        default = None if field.default_factory is not dataclasses.MISSING else field.default
        if default is None and "anyOf" in entry and {"type": "null"} not in entry["anyOf"]:
            entry["anyOf"].append({"type": "null"})
        elif default is None and "anyOf" not in entry and entry:
            entry = {"anyOf": [entry, {"type": "null"}]}
        entry["description"] = _help(field.metadata.get("help", ""))
        if isinstance(default, (bool, int, float, str)) or (default is None and field.default_factory is dataclasses.MISSING):
            entry["default"] = default
        properties[field.name] = entry
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _type(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if hint is type(None):
        return {"type": "null"}
    if origin is typing.Literal:
        named = [value for value in arguments if "[" not in str(value) and value not in _NEED_DATA]
        patterns = [re.sub(r"\[.*?\]", "[0-9]+", value) for value in arguments if "[" in str(value)]
        if patterns:
            return {"type": "string", "pattern": "^(" + "|".join([*named, *patterns]) + ")$"}
        return {"type": "string", "enum": named}
    if origin in (typing.Union, types.UnionType):
        options: list[dict[str, Any]] = []
        for argument in arguments:
            options += [entry for entry in [_type(argument)] if entry not in options]
        # Python keeps the order in which a union was first written anywhere in the process
        options.sort(key=lambda entry: (_ORDER.index(entry.get("type", "null")), json.dumps(entry)))
        return options[0] if len(options) == 1 else {"anyOf": options}
    if origin in (list, tuple) or hint in (list, tuple):
        several = origin is tuple and len(arguments) > 1
        return {"type": "array", "items": _type(arguments[0]) if arguments and not several else {}}
    if origin is dict or hint is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1]) if len(arguments) > 1 else True}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if dataclasses.is_dataclass(hint):
        return schema(typing.cast(type, hint))
    return {}


#: PEFT's help speaks Python; options are written in YAML
_WORDS = {
    "True": "true",
    "False": "false",
    "None": "null",
    "dict": "mapping",
    "dicts": "mappings",
    "dictionary": "mapping",
    "tuple": "list",
}


def _help(text: Any) -> str:
    plain = " ".join((text if isinstance(text, str) else " ".join(text)).split())
    return re.sub(rf"\b({'|'.join(_WORDS)})\b(?! of the)", lambda word: _WORDS[word[0]], plain)


def page(found: dict[str, Any]) -> Iterator[str]:
    yield "# The methods of the adapter `peft` and their options"
    yield ""
    yield f"<!-- Written by tools/describe_methods.py from PEFT {found['peft']}. -->"
    yield "`{peft: {peft_type: NAME, options: {...}}}`; names, defaults and help are those of PEFT's configuration classes."
    yield "Where `target_modules` is an option and not given, it goes on all linear layers of the language part but the output head."
    yield ""
    yield " · ".join(f"[{name}](#{name})" for name in found["methods"])
    for name, method in found["methods"].items():
        yield from ("", f"## {name}", "", f"`peft.{method['config']}`", "", "| option | type | default | |", "|---|---|---|---|")
        for option, entry in method["options"]["properties"].items():
            default = f"`{json.dumps(entry['default'])}`" if "default" in entry else ""
            yield f"| `{option}` | {_words(entry)} | {default} | {_cell(entry['description'])} |"
    yield from ("", "## Not carried", "", "| method | because |", "|---|---|")
    yield from (f"| {name} | {reason} |" for name, reason in found["not_carried"].items())


def _words(entry: dict[str, Any]) -> str:
    if "anyOf" in entry:
        return " or ".join(_words(option) for option in entry["anyOf"] if option.get("type") != "null")
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    items = entry.get("items", {})
    inside = f" of {_words(items)}" if items else ""
    return {"integer": "whole number", "object": "mapping", "array": "list" + inside}.get(entry.get("type", ""), entry.get("type", "any"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def main(arguments: Sequence[str]) -> int:
    found = describe()
    written = {DATA: json.dumps(found, indent=1, ensure_ascii=False) + "\n", PAGE: "\n".join(page(found)) + "\n"}
    stale = [path.name for path, text in written.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        print(f"not as PEFT {found['peft']} has it: {', '.join(stale)}" if stale else "up to date")
        return bool(stale)
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
