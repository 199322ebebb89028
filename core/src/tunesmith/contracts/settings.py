"""Settings of a provider: a frozen dataclass, its JSON Schema, and the check of a user's values against it.

An author writes the dataclass once::

    @dataclass(frozen=True)
    class LoudSettings:
        volume: int = setting(3, "how loud, in steps", ge=0, le=11)
        mode: str = setting("plain", "how it sounds", choices=("plain", "brass"))

`plugin sync` writes its schema into the manifest, from which the kernel makes options, help, validation and docs
without importing the plugin. The worker builds the dataclass with `build`. Types: bool, int, float, str, list[T],
dict[str, T], nested settings dataclasses, ``T | None``. Standard library only: this runs inside any plugin's environment.
"""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from tunesmith.contracts.type_hints import UNIONS, type_hints
from tunesmith.contracts.untrusted_files import path_of
from tunesmith.errors import UserError, did_you_mean, shown

TOLD = 100  # problems told of a value that fits none of several types: a list of a million is not looked through for each
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_EFFECT = {"with": Mapping, "call": str, "scene": str}
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum", "pattern": "pattern"}


def setting(
    default: Any = dataclasses.MISSING,
    help: str = "",
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: tuple[Any, ...] = (),
    pattern: str | None = None,
    examples: tuple[Any, ...] = (),
    effect: Mapping[str, Any] | None = None,
    aliases: tuple[str, ...] = (),
    unlike: Mapping[str, str] | None = None,
    path: bool = False,
) -> Any:
    """A field of a settings dataclass: default (required if left out), help, bounds, and choices.

    `choices` closes a setting of the plugin's own; names of other plugins stay open strings.

    Args:
        aliases: other names by which users may give it, of the same meaning: what is shown and what enters a cache key is the field's name.
        unlike: names that users may know from elsewhere and that mean something else: each with the sentence that tells what to write.
        effect: where a change of the setting shows, if not at once in what the provider makes. ``with``: other settings beside which it
            matters; ``call``: ``package.module:function`` of a library, in whose arguments it arrives; ``scene``: what the provider has to
            meet for it to matter (an endpoint that fails). The conformance kit looks there (its check ``settings.alive``).
        path: it is the path of a file or folder: a relative one starts from the pipeline's folder, and the plugin is given it whole.
    """
    bounds = {"ge": ge, "gt": gt, "le": le, "lt": lt, "pattern": pattern}
    extra = {_KEYWORDS[key]: value for key, value in bounds.items() if value is not None}
    extra |= {key: list(values) for key, values in (("enum", choices), ("examples", examples)) if values}
    if effect is not None:
        if not effect or not all(isinstance(value, _EFFECT.get(key, ())) for key, value in effect.items()):
            raise TypeError(f"an effect says `with`, `call` or `scene`, not {dict(effect)!r}; see tunesmith.contracts.settings")
        extra["effect"] = dict(effect)
    if aliases:
        extra["aliases"] = list(aliases)
    if unlike:
        extra["unlike"] = dict(unlike)
    if path:
        extra["format"] = "path"
    metadata = {"schema": {"description": help, **extra}}
    if isinstance(default, (list, dict, set)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def schema_of(cls: type | None) -> dict[str, Any]:
    """JSON Schema (draft 2020-12 subset) of a settings dataclass; an empty closed object for None.

    Raises:
        TypeError: a name or an alias means two settings.
    """
    schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    if cls is None:
        return schema
    hints = type_hints(cls)
    required = []
    for field in dataclasses.fields(cls):
        entry = _type_schema(hints[field.name]) | dict(field.metadata.get("schema", {}))
        if field.default is not dataclasses.MISSING:
            entry["default"] = _plain(field.default)
        elif field.default_factory is not dataclasses.MISSING:
            entry["default"] = _plain(field.default_factory())
        else:
            required.append(field.name)
        schema["properties"][field.name] = entry
    if required:
        schema["required"] = required
    names = [*schema["properties"], *(name for entry in schema["properties"].values() for name in _others(entry))]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TypeError(f"{cls.__name__}: `{twice[0]}` is the name or an alias of two settings; see tunesmith.contracts.settings")
    return schema


def _others(entry: Mapping[str, Any]) -> Iterator[str]:
    """The names that are not the setting's own and that it knows."""
    yield from entry.get("aliases", ())
    yield from entry.get("unlike", ())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return list(value) if isinstance(value, tuple) else value


def _type_schema(hint: Any) -> dict[str, Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _JSON_TYPES:
        return {"type": _JSON_TYPES[hint]}
    if origin in UNIONS:
        options = [_type_schema(a) for a in args if a is not type(None)]
        nullable = [{"type": "null"}] if type(None) in args else []
        return options[0] if len(options) == 1 and not nullable else {"anyOf": options + nullable}
    if origin in (list, tuple):
        return {"type": "array", "items": _type_schema(args[0]) if args else {}}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(args[1]) if len(args) > 1 else True}
    if dataclasses.is_dataclass(hint):
        return schema_of(hint)
    if hint is Any:
        return {}
    raise TypeError(f"a setting can't have the type {hint!r}; see tunesmith.contracts.settings")


def problems(schema: Mapping[str, Any], value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every way in which `value` misses `schema`, as (path, sentence) pairs; nothing when it fits."""
    if "anyOf" in schema:
        tries = [list(islice(problems(option, value, where), TOLD)) for option in schema["anyOf"]]
        if all(tries):
            # An option of the value's type, or one that is wrong only deeper down, is what the user meant: report that one.
            typed = [t for option, t in zip(schema["anyOf"], tries) if "type" in option and _is(option["type"], value)]
            meant = [t for t in tries if any(path != where for path, _ in t)] or typed
            yield from (meant[0] if meant else [(where, f"should be {_options(schema)}, got {shown(value)}")])
        if all(tries) or value is None:  # bounds and choices are not meant for "none given"
            return
    kind = schema.get("type")
    if kind and not _is(kind, value):
        yield where, f"should be {_a(kind)}, got {shown(value)}"
        return
    if kind and isinstance(value, float) and not math.isfinite(value):
        yield where, f"should be a finite number, got {value}"
        return
    if "const" in schema and value != schema["const"]:
        yield where, f"should be {shown(schema['const'])}, got {shown(value)}"
    if "enum" in schema and value not in schema["enum"]:
        yield where, f"can't be {shown(value)}. " + did_you_mean(str(value), map(str, schema["enum"]))
    yield from _bounds(schema, value, where)
    if isinstance(value, Mapping):
        yield from _object(schema, value, where)
    elif isinstance(value, (list, tuple)) and len(value) <= schema.get("maxItems", len(value)):
        for index, item in enumerate(value):
            yield from problems(schema.get("items", {}), item, f"{where}[{index}]")


def _bounds(schema: Mapping[str, Any], value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for keyword, fits, word in (
            ("minimum", lambda b: value >= b, "at least"),
            ("exclusiveMinimum", lambda b: value > b, "more than"),
            ("maximum", lambda b: value <= b, "at most"),
            ("exclusiveMaximum", lambda b: value < b, "less than"),
        ):
            if keyword in schema and not fits(schema[keyword]):
                yield where, f"should be {word} {schema[keyword]}, got {value}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        allowed = schema.get("description") or f"it should match {schema['pattern']}"
        like = " or ".join(map(str, schema.get("examples", ())))
        yield where, f"can't be {shown(value)}: {allowed}" + (f", such as {like}" if like else "")
    for kind, noun, unit in ((str, "Length", "characters"), ((list, tuple), "Items", "items"), (Mapping, "Properties", "entries")):
        if isinstance(value, kind):
            least, most, size = schema.get(f"min{noun}", 0), schema.get(f"max{noun}"), len(value)
            if size < least:
                yield where, "should not be empty" if least == 1 else f"should have at least {least} {unit}, has {size}"
            if most is not None and size > most:
                yield where, f"should have at most {most} {unit}, has {size}"


def _object(schema: Mapping[str, Any], value: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    known, names = schema.get("properties", {}), aliases_of(schema)
    rest = schema.get("additionalProperties", True)
    given = [names.get(name, name) for name in value]
    for name in schema.get("required", ()):
        if name not in given:
            yield _join(where, name), "is missing"
    for (name, item), own in zip(value.items(), given):
        if own in known:
            if name != own and given.count(own) > 1:
                others = ", ".join(f"`{other}`" for other in value if names.get(other, other) == own and other != name)
                yield _join(where, name), f"is the same setting as {others}: give one of them"
            yield from problems(known[own], item, _join(where, name))
        elif rest is False:
            yield _join(where, str(name)), _unknown(str(name), known, names)
        elif isinstance(rest, Mapping):
            yield from problems(rest, item, _join(where, str(name)))


def _unknown(name: str, known: Mapping[str, Any], names: Mapping[str, str]) -> str:
    told = next((entry["unlike"][name] for entry in known.values() if name in entry.get("unlike", ())), "")
    return f"is not a setting: {told}" if told else "is not a setting. " + did_you_mean(name, [*known, *names])


def aliases_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """Alias -> the setting's own name."""
    return {alias: name for name, entry in schema.get("properties", {}).items() for alias in entry.get("aliases", ())}


def fill(schema: Mapping[str, Any], value: Mapping[str, Any], base: Path | None = None) -> dict[str, Any]:
    """`value` with every default of `schema` filled in, aliases under the setting's own name: what enters a cache key.

    Args:
        base: the folder that relative paths start from; None: they stay as they are.
    """
    names = aliases_of(schema)
    filled = {names.get(name, name): item for name, item in value.items()}
    for name, entry in schema.get("properties", {}).items():
        if name not in filled and "default" in entry:
            filled[name] = entry["default"]
        if isinstance(filled.get(name), Mapping) and "properties" in entry:
            filled[name] = fill(entry, filled[name], base)
        elif entry.get("format") == "path" and base and filled.get(name):
            filled[name] = str(path_of(filled[name], base))
        elif entry.get("type") == "number" and isinstance(filled.get(name), int):
            filled[name] = float(filled[name])  # 1 and 1.0 are the same setting and must give one key
    return filled


def build(cls: type | None, values: Mapping[str, Any]) -> Any:
    """The settings object for `values`; None where the provider has no settings.

    Raises:
        UserError: TS-SPEC-020 naming every value that does not fit.
    """
    schema = schema_of(cls)
    found = [f"`{path}` {sentence}" for path, sentence in problems(schema, values)]
    if found:
        raise UserError("TS-SPEC-020", "; ".join(found), fix="Correct the settings named above.")
    if cls is None:
        return None
    hints, names = type_hints(cls), aliases_of(schema)
    given = {names.get(name, name): value for name, value in values.items()}
    return cls(**{name: _nested(hints[name], value) for name, value in given.items()})


def _nested(hint: Any, value: Any) -> Any:
    for option in typing.get_args(hint) or (hint,):
        if dataclasses.is_dataclass(option) and isinstance(value, Mapping):
            return build(typing.cast(type, option), value)
    return float(value) if hint is float else value


def _is(kind: str | list[str], value: Any) -> bool:
    if not isinstance(kind, str):
        return any(_is(one, value) for one in kind)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    expected = {"boolean": bool, "string": str, "object": Mapping, "array": (list, tuple), "null": type(None)}
    return isinstance(value, expected[kind])


def _a(kind: str | list[str]) -> str:
    if not isinstance(kind, str):
        return " or ".join(map(_a, kind))
    return {"integer": "a whole number", "object": "a mapping", "array": "a list", "null": "empty",
            "boolean": "true or false"}.get(kind, f"a {kind}")  # fmt: skip


def _options(schema: Mapping[str, Any]) -> str:
    return " or ".join(dict.fromkeys(_a(option.get("type", "value")) for option in schema["anyOf"]))


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
