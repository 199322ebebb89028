"""What the journal knows, row by row. A value that can't be one means that the file is damaged."""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeVar

_Row = TypeVar("_Row")
_ERROR = ("code", "what", "why", "fix")  # what is there of every error that was written
_LATEST = 32503680000.0  # the year 3000: no time in a journal is later


@dataclass(frozen=True)
class RunRow:
    """A run as the journal knows it. States: running, serving, done, failed, cancelled, interrupted.

    Args:
        aside: it is a command's own, on its way to what it shows: none of those that users mean by their runs.
    """

    id: str
    pipeline: str
    path: str
    started: float
    finished: float | None
    state: str
    error: Mapping[str, Any] | None = None
    aside: bool = False


@dataclass(frozen=True)
class StepRow:
    """A step of a run. States: waiting, running, done, failed, cancelled, skipped, interrupted; `artifact` is a digest."""

    run: str
    step: str
    position: int
    key: str
    state: str
    attempt: int
    cached: bool
    started: float | None
    finished: float | None
    artifact: str | None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ProgressRow:
    """How far a task of a running step has come; `total` None if nobody knows."""

    run: str
    step: str
    what: str
    done: float
    total: float | None
    unit: str
    time: float


@dataclass(frozen=True)
class LineageRow:
    """That a step of a run gave an artifact.

    Args:
        cached: it was there already, made by an earlier step with the same key.
        time: seconds since the epoch.
        producer: who made it (kind, name, distribution, version), and who else took part, each with its settings.
        settings: of the step's verb that were in force.
        inputs: name -> digest of what was read.
    """

    run: str
    step: str
    key: str
    digest: str
    cached: bool
    time: float
    producer: Mapping[str, Any] | None
    settings: Mapping[str, Any] | None
    inputs: Mapping[str, Any] | None


@dataclass(frozen=True)
class CacheRow:
    """What a cache key leads to, and how that was made: equal bytes may have several makers.

    Args:
        seconds: how long making it took.
        producer, meta: as of `tunesmith.contracts.artifacts.Artifact`; the producer with the settings that made it.
        inputs: name -> digest of what was read.
    """

    key: str
    digest: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    producer: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> str:
        """All but the key, as the journal keeps it."""
        return json.dumps({item.name: getattr(self, item.name) for item in fields(self) if item.name != "key"})

    def seal(self) -> str:
        """Tells a row that is what was written from one that a disk has changed."""
        return sealed(self.key, self.document())


def sealed(key: str, document: str) -> str:
    return hashlib.sha256(f"{key}\0{document}".encode()).hexdigest()


def row_of(kind: type[_Row], values: Sequence[Any]) -> _Row:
    """A row as SQLite gives it.

    Raises:
        ValueError: when a value is not of its field's type, or can't be.
    """
    made = []
    for (name, wanted), value in zip(_types(kind).items(), values, strict=True):
        if Mapping in wanted:
            value = json.loads(value) if value else None
            good = value is None or isinstance(value, dict)
            if name == "error" and good and value:
                good = all(isinstance(value.get(part), str) for part in _ERROR)
        elif wanted == (bool,):
            value, good = bool(value), isinstance(value, int)
        else:
            good = isinstance(value, wanted) and not (isinstance(value, float) and not 0 <= value < _LATEST)
        if not good:
            raise ValueError(f"{name} is {value!r}")
        made.append(value)
    return kind(*made)


@lru_cache(None)
def _types(kind: type[Any]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {}
    for name, hint in typing.get_type_hints(kind).items():
        options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        found[name] = tuple(Mapping if typing.get_origin(option) else option for option in options)
    return found
