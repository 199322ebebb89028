"""The user's function, out of the settings' code or an installed package."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_custom.settings import CustomSettings

NAME = "score"
Function = Callable[[str, Mapping[str, Any]], Any]


def score_function(settings: CustomSettings) -> Function:
    """
    Raises:
        UserError: TS-EVAL-011 where there is none.
    """
    settings.check()
    return _installed(settings.function) if settings.function else _written(settings.code)


def _written(code: str) -> Function:
    names: dict[str, Any] = {"__name__": "score_function"}
    try:
        exec(compile(code, "<code of the evaluator custom>", "exec"), names)
    except Exception as error:
        raise UserError("TS-EVAL-011", "`code` can't be run", why=f"{type(error).__name__}: {error}", fix="Try it with Python.") from error
    return _callable(names.get(NAME), f"`code` defines no function `{NAME}`")


def _installed(name: str) -> Function:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute, None) if attribute else None
    except ImportError as error:
        raise UserError("TS-EVAL-011", f"`{name}` can't be imported", why=str(error), fix="Install its package here.") from error
    return _callable(found, f"`{name}` is no function")


def _callable(found: Any, what: str) -> Function:
    if not callable(found):
        raise UserError("TS-EVAL-011", what, why="It is called as score(answer, row).", fix="Write it as module:function, or as `code`.")
    return found  # type: ignore[no-any-return]


def value_of(given: Any) -> bool | float | None:
    """What a function gave, as it counts: right or wrong, a number, or that it can't tell.

    Raises:
        TypeError, ValueError: it is nothing of these.
    """
    if given is None or isinstance(given, bool):
        return given
    number = float(given)
    if not math.isfinite(number):
        raise ValueError(f"it gave {given}")
    return number
