"""Contract of kind ``input_reader``: what is written where a step's input belongs, and names no step, becomes an input.

The planner asks the installed readers, those of the highest priority first, and takes the first answer that is not None. It asks those
whose ``produces`` has one of the formats wanted: ``dataset/*`` for ``data: train.jsonl``; ``file`` where the verb reads a file as it is.
A reader works in the host while a pipeline is planned, one object a plan: its module imports nothing heavy, and code of other plugins is
not called, but asked in a worker by `Planner.ask`.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tunesmith.contracts.digests import HashedFile

FILE = "file"  #: format of a file of the user's, as it is


@dataclass(frozen=True)
class InputRequest:
    """An input that no step makes.

    Args:
        written: text, list or mapping, as the pipeline has it.
        formats: that are wanted, as patterns (``dataset/chat``, ``dataset/*``); ``file`` alone: the verb reads it as it is.
        reader: who reads it, as messages call it: "the objective `echo`".
        key: name of the input (``data``).
        seed: of the step.
        verb: of the step; the other fields are what is written there.
        provider: name of the step's main provider; empty where it has none, or none is known yet.
        provider_settings: of that provider.
        settings: of the verb.
    """

    written: Any
    formats: tuple[str, ...]
    reader: str = ""
    key: str = "data"
    seed: int = 0
    verb: str = ""
    provider: str = ""
    provider_settings: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class InputFile:
    """A file of the user's that a step reads.

    Args:
        digest: ``sha256:...`` of its content (see `Planner.digest_of`).
        beside: digest of what else is read because the file names it; empty: nothing. It is part of the step's cache key.
        others: those other files. The step fails, and nothing is kept of it, where one has changed before it ends.
    """

    path: Path
    digest: str
    beside: str = ""
    others: tuple[HashedFile, ...] = ()


@dataclass(frozen=True)
class InputStep:
    """A step that makes the input, or something that a later one of the same answer reads. One that is planned already is not planned
    again.

    Args:
        verb: name of an installed verb.
        name: what it may be called (``data:train``); a number is added where that is taken.
        inputs: by the verb's own names: a file, or the number of an earlier step of the answer, from 0.
        format: of what it makes.
        settings: of the verb.
        providers: slot (or the verb's kind) -> name of an installed provider, which is taken with its defaults.
        disk: bytes that it writes, about.
        reason: why it is there, a clause.
    """

    verb: str
    name: str
    inputs: Mapping[str, InputFile | int]
    format: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    disk: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class PlannedInput:
    """What a reader answers.

    Args:
        steps: in an order in which they can run; the last one makes the input. None of them: the step reads `file` as it is.
        size: bytes of what is read, about.
        facts: what estimators are told (see `EstimateRequest.data`), and under ``first`` the first rows.
    """

    steps: tuple[InputStep, ...] = ()
    file: InputFile | None = None
    size: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)


class InstalledProvider(Protocol):
    """A provider as its plugin's manifest describes it."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def distribution(self) -> str: ...

    @property
    def accepts(self) -> tuple[str, ...]: ...

    @property
    def produces(self) -> tuple[str, ...]: ...

    @property
    def facts(self) -> Mapping[str, Any]: ...

    @property
    def identity(self) -> Mapping[str, str]:
        """Kind, name, distribution and version."""


@dataclass(frozen=True)
class Question:
    """What a worker is asked.

    Args:
        entry: ``module:function`` of the reader's own, called with a step as a verb's is; the answer is its result's `meta`.
        provider: built for the step, under its kind.
        provider_settings: of that provider.
        settings_class: ``module:Class`` of the step's settings, and their values.
        files: inputs of the step.
    """

    entry: str
    provider: InstalledProvider
    provider_settings: Mapping[str, Any] = field(default_factory=dict)
    settings_class: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


class WorkerDied(Exception):
    """The worker that was asked died; the message says how, with the end of what it printed."""


class Planner(Protocol):
    """What a reader may know and ask.

    `base` is the folder that relative paths start from; `roots` are folders that data may lead to besides its own. `memory` keeps JSON
    values from plan to plan, by keys of the reader's own: it holds the newest thousand, and may be emptied at any time.
    """

    base: Path
    roots: tuple[Path, ...]
    memory: MutableMapping[str, Any]

    def digest_of(self, path: Path) -> str:
        """``sha256:...`` of a file's content; one that looks untouched is not read again.

        Raises:
            OSError: it can't be read, or is no regular file.
        """

    def installed(self, kind: str) -> Mapping[str, InstalledProvider]:
        """The providers of a kind that can be chosen, by name, in order of priority."""

    def ask(self, question: Question) -> Mapping[str, Any] | None:
        """A worker's answer; None where none is asked: the provider works in an isolated environment, which might have to be built.

        Raises:
            WorkerDied: the worker died.
            TunesmithError: what the function raised.
        """


class InputReader(Protocol):
    def read(self, request: InputRequest, planner: Planner) -> PlannedInput | None:
        """The input; None where it is nothing for this reader.

        Raises:
            TunesmithError: why it can't be used; several at once as `Problems`. The planner adds its place in the pipeline.
        """
