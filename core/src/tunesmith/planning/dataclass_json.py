"""Dataclasses as JSON values, and back: plans on the disk, and what passes between the planner and its helper process."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_hints = functools.cache(typing.get_type_hints)  # slow, and asked of each of a thousand devices


def plain(value: Any) -> Any:
    """The value as JSON can say it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def build(hint: Any, value: Any) -> Any:
    """The inverse: `value`, as JSON has it, as the type `hint` declares."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else build(inner, value)
    if dataclasses.is_dataclass(hint):
        hints = _hints(hint)
        known = {field.name for field in dataclasses.fields(hint)}
        return hint(**{name: build(hints[name], item) for name, item in value.items() if name in known})  # type: ignore[operator]
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(build(kind, item) for kind, item in zip(kinds, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {name: build(arguments[1], item) for name, item in value.items()}
    return Path(value) if hint is Path else value
