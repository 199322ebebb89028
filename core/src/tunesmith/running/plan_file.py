"""The plan of a run as JSON beside its logs, so that the run can go on without anybody repeating how it began."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.notes import read_note, write_note
from tunesmith.planning.plan import Plan

FILE = "plan.json"


def write_plan(plan: Plan, directory: Path) -> None:
    write_note(directory / FILE, _plain(plan))


def read_plan(directory: Path) -> Plan:
    """The inverse of `write_plan`.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not there, is not what was written, or is of another version.
    """
    found = read_note(directory / FILE)
    if found is None:
        raise ValueError(f"{directory / FILE} is not what was written, or not there")
    return typing.cast(Plan, _build(Plan, found))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _build(hint: Any, value: Any) -> Any:
    """`value`, as JSON has it, as the type that a plan's field declares."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _build(inner, value)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        known = {field.name for field in dataclasses.fields(hint)}
        return hint(**{name: _build(hints[name], item) for name, item in value.items() if name in known})  # type: ignore[operator]
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_build(kind, item) for kind, item in zip(kinds, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: _build(arguments[1], item) for name, item in value.items()}
    return Path(value) if hint is Path else value
