"""What other distributions may import stays as it is: `api.json` beside this file holds it as it was last agreed.

Write it anew after a name was added: run this file. What takes a name away, or calls one otherwise, needs another number,
`tunesmith_torch.api.API`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AGREED = Path(__file__).with_name("api.json")
MODULES = ("tunesmith_torch.api", *(f"tunesmith_torch.api.{name}" for name in ("layers", "model", "parameters", "text")))


def parameters(function: Any) -> list[str]:
    """Names of the parameters; those that need not be given end in ``=``, those given by keyword alone begin with ``*``."""
    found = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    return ["*" * (p.kind is p.KEYWORD_ONLY) + p.name + "=" * (p.default is not p.empty) for p in found]


def told(thing: Any) -> dict[str, Any]:
    """What its users rely on: how it is called, and a class's public methods."""
    if not callable(thing):
        return {"value": thing} if isinstance(thing, str) else {}
    said: dict[str, Any] = {}
    if not getattr(thing, "_is_protocol", False):
        said["call"] = parameters(thing)
    if inspect.isclass(thing):
        functions = {name: value for name, value in vars(thing).items() if inspect.isfunction(value) and not name.startswith("_")}
        said |= {"methods": {name: parameters(value) for name, value in functions.items()}}
    return said


def now() -> dict[str, Any]:
    api = importlib.import_module("tunesmith_torch.api")
    modules = {module: importlib.import_module(module) for module in MODULES}
    names = {f"{module}.{name}": getattr(found, name) for module, found in modules.items() for name in found.__all__ if name != "API"}
    return {"api": api.API, "names": {name: told(thing) for name, thing in sorted(names.items())}}


def kept(before: Any, after: Any) -> bool:
    """Whether what was called one way can be called so still: new parameters at the end need not be given."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(key in after and kept(value, after[key]) for key, value in before.items())
    if isinstance(before, list):
        return after[: len(before)] == before and all(name.endswith("=") for name in after[len(before) :])
    return bool(before == after)


def test_what_others_build_on_is_there_as_it_was_or_has_another_number():
    before, after = json.loads(AGREED.read_text()), now()
    if not kept(before["names"], after["names"]):
        assert after["api"] == before["api"] + 1, "a name has changed: raise `tunesmith_torch.api.API`"
    else:
        assert after == before, "run this file: python plugins/engine/torch/tests/test_torch_api.py"


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"f": {"call": ["a"]}}, {"f": {"call": ["a", "b="]}, "g": {}}, True),
        ({"f": {"call": ["a"]}}, {"f": {"call": ["a", "b"]}}, False),
        ({"f": {"call": ["a", "b"]}}, {"f": {"call": ["b", "a"]}}, False),
        ({"f": {}}, {}, False),
        ({"C": {"methods": {"m": []}}}, {"C": {"methods": {}}}, False),
    ],
)
def test_what_breaks_a_user_is_told_from_what_does_not(before: dict, after: dict, same: bool):
    assert kept(before, after) is same


def test_importing_it_loads_neither_torch_nor_transformers():
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(*{'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *MODULES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


if __name__ == "__main__":
    AGREED.write_text(json.dumps(now(), indent=1, sort_keys=True) + "\n")
