"""A Python script or notebook -> a configuration: the arguments of calls that set a training up, read without running anything."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import UserError
from tunesmith_import.configuration.configuration import Configuration, Entry

#: call -> what its arguments' names begin with
CALLS: Mapping[str, str] = {
    "from_pretrained": "from_pretrained", "get_peft_model": "get_peft_model", "LoraConfig": "get_peft_model",
    "load_dataset": "load_dataset",
    "get_chat_template": "get_chat_template", "train_on_responses_only": "train_on_responses_only",
    **dict.fromkeys(("SFTTrainer", "DPOTrainer", "KTOTrainer", "ORPOTrainer", "RewardTrainer", "GRPOTrainer", "CPOTrainer"), "trainer"),
    **dict.fromkeys(
        ("TrainingArguments", "UnslothTrainingArguments", "SFTConfig",
         "DPOConfig", "KTOConfig", "ORPOConfig", "RewardConfig", "GRPOConfig", "CPOConfig"),
        "args",
    ),
}  # fmt: skip
_MODELS = ("FastLanguageModel", "FastModel", "FastVisionModel", "AutoModelForCausalLM")  #: whose `from_pretrained` loads what is trained


class Expression(str):
    """What can't be told without running the script: its text."""


def script_of(path: Path, text: str) -> Configuration:
    """
    Raises:
        UserError: TS-IMPORT-001 when it is not Python, or sets no training up.
    """
    try:
        tree = ast.parse(_source(path, text))
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("TS-IMPORT-001", f"{path} can't be read as Python", why=f"{error}.", fix="Name a script or a notebook.") from None
    entries = tuple(_entries(tree, path.name))
    trainers = [entry.value for entry in entries if entry.key == "call"]
    if not trainers:
        fix = "It needs a call of a trainer (`SFTTrainer(...)`) or of its arguments (`SFTConfig(...)`)."
        raise UserError("TS-IMPORT-001", f"{path} sets no training up that is known", fix=fix)
    return Configuration(path, tuple(entry for entry in entries if entry.key != "call"), "script", str(trainers[0]))


def _source(path: Path, text: str) -> str:
    if path.suffix != ".ipynb":
        return text
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join("".join(cell) for cell in cells).splitlines()
    return "\n".join("" if re.match(r"\s*[!%]", line) else line for line in lines)


def _entries(tree: ast.Module, file: str) -> Iterator[Entry]:
    known: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            value = _value(node.value, known)
            if not isinstance(value, Expression):
                known[node.targets[0].id] = value
    seen: set[str] = set()
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    trainers = [name for name in map(_name, calls) if name.endswith(("Trainer", "Config", "TrainingArguments")) and name in CALLS]
    if named := next((name for name in trainers if name.endswith("Trainer")), trainers[0] if trainers else ""):
        yield Entry("call", named, 1, file)
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        name = _name(call)
        if name not in CALLS or (name == "from_pretrained" and _owner(call) not in _MODELS):
            continue
        prefix = CALLS[name]
        given = [
            *((f"${number}", value) for number, value in enumerate(call.args, 1)),
            *((one.arg or "**", one.value) for one in call.keywords),
        ]
        for argument, value in given:
            key = f"{prefix}.{argument}"
            found = _value(value, known)
            if key in seen or (isinstance(value, ast.Call) and _name(value) in CALLS):  # read by itself
                continue
            seen.add(key)
            yield Entry(key, found, value.lineno, file)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _owner(call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        pass
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    return Expression(ast.unparse(node))
