"""What a distribution lets others import, held against a file that says what was agreed: for tests of packages that others build on.

The file is JSON beside the test. Such a package has an integer `API`, raised when a name goes away or is called otherwise.
"""

from __future__ import annotations

import importlib
import inspect
import json
import typing
from pathlib import Path
from typing import Any


class AgreedApi:
    """The public names of `modules` (their ``__all__``), the first of which has the number.

    Args:
        file: what was agreed.
    """

    def __init__(self, file: Path, *modules: str) -> None:
        self.file, self.modules = file, modules

    def now(self) -> dict[str, Any]:
        """What the modules say now."""
        found = {module: importlib.import_module(module) for module in self.modules}
        names = {f"{module}.{name}": getattr(code, name) for module, code in found.items() for name in code.__all__ if name != "API"}
        return {"api": found[self.modules[0]].API, "names": {name: told(thing) for name, thing in sorted(names.items())}}

    def write(self) -> None:
        self.file.write_text(json.dumps(self.now(), indent=1, sort_keys=True) + "\n")

    def complaint(self) -> str:
        """What is wrong with the modules as they are; empty where they keep what was agreed."""
        before, after = json.loads(self.file.read_text()), self.now()
        if not kept(before["names"], after["names"]):
            return "" if after["api"] == before["api"] + 1 else f"a name has changed: raise `{self.modules[0]}.API`"
        return "" if after == before else f"write {self.file.name} anew"


def parameters(function: Any) -> list[str]:
    """Names of the parameters; those that need not be given end in ``=``, those given by keyword alone begin with ``*``."""
    found = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    return ["*" * (p.kind is p.KEYWORD_ONLY) + p.name + "=" * (p.default is not p.empty) for p in found]


def told(thing: Any) -> dict[str, Any]:
    """What its users rely on: how it is called, a class's public methods, a `TypedDict`'s keys, by which names an error
    is caught."""
    if typing.is_typeddict(thing):
        return {"keys": {name: {} for name in thing.__annotations__}}
    if inspect.isclass(thing) and issubclass(thing, Exception):  # which others catch, and do not make
        return {"errors": {base.__name__: {} for base in thing.__mro__[1:-2]}}
    if not callable(thing) or typing.get_origin(thing):
        return {"value": thing} if isinstance(thing, str) else {}
    said: dict[str, Any] = {}
    if not getattr(thing, "_is_protocol", False):
        said["call"] = parameters(thing)
    if inspect.isclass(thing):
        functions = {name: value for name, value in vars(thing).items() if inspect.isfunction(value) and not name.startswith("_")}
        said |= {"methods": {name: parameters(value) for name, value in functions.items()}}
    return said


def kept(before: Any, after: Any) -> bool:
    """Whether what was called one way can be called so still: new parameters at the end need not be given."""
    if isinstance(before, dict):
        return isinstance(after, dict) and all(key in after and kept(value, after[key]) for key, value in before.items())
    if isinstance(before, list):
        return after[: len(before)] == before and all(name.endswith("=") for name in after[len(before) :])
    return bool(before == after)
