"""Dataclasses as JSON values, and back: plans on the disk, and what passes between the planner and its helper process.

A plan that compares asks thousands of questions, so what a type is made of is looked up once.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_Builder = Callable[[Any], Any]
_LEAVES = (str, int, float, bool, types.NoneType)


def plain(value: Any) -> Any:
    """The value as JSON can say it."""
    kind = type(value)
    if kind in _LEAVES:
        return value
    if dataclasses.is_dataclass(kind):
        return {name: plain(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, Mapping):
        return {str(name): item if type(item) in _LEAVES else plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def build(hint: Any, value: Any) -> Any:
    """The inverse: `value`, as JSON has it, as the type `hint` declares."""
    builder = _builder(hint)
    return builder(value) if builder else value


@functools.cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


@functools.cache
def _builder(hint: Any) -> _Builder | None:
    """What makes a value of the type; None where JSON's is that."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _builder(next(argument for argument in arguments if argument is not types.NoneType))
        return (lambda value: None if value is None else inner(value)) if inner else None
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        fields = {name: _builder(hints[name]) or _same for name in _names(hint)}
        return lambda value: hint(**{name: fields[name](item) for name, item in value.items() if name in fields})
    if origin is tuple and arguments[-1] is Ellipsis:
        return lambda value: tuple(build(arguments[0], item) for item in value)
    if origin is tuple:
        return lambda value: tuple(build(kind, item) for kind, item in zip(arguments, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        each = _builder(arguments[1])
        return (lambda value: {name: each(item) for name, item in value.items()}) if each else dict
    return Path if hint is Path else None


def _same(value: Any) -> Any:
    return value
