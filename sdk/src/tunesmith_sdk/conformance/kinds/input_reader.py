"""Checks of input readers: what they answer can be planned, and what is not theirs they leave to others."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import TunesmithError, fits
from tunesmith.contracts.digests import content_sha256
from tunesmith.contracts.kinds.input_reader import InputRequest, PlannedInput, Question
from tunesmith_sdk.conformance.author_functions import missing
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.catalog import action, observer
from tunesmith_sdk.conformance.checks import CheckFailed, check

#: what somebody might write, and what nobody should
STRANGE: tuple[Any, ...] = (
    "no such file.odd",
    "no/such/folder/file.odd",
    "odd\0name",
    "~",
    ".",
    [],
    {},
    [1],
    {"a": "b"},
    [{}],
    {"path": 1},
    7,
)


@dataclass(frozen=True)
class _Installed:
    """A provider that the reader may choose, as its author describes it."""

    kind: str
    name: str
    accepts: tuple[str, ...]
    produces: tuple[str, ...]
    facts: Mapping[str, Any]
    distribution: str = "tunesmith-sdk"

    @property
    def identity(self) -> Mapping[str, str]:
        return {"kind": self.kind, "name": self.name, "distribution": self.distribution, "version": "0"}


class _Planner:
    """A planner in a folder of its own, of which what the author says is installed; nobody is asked."""

    def __init__(self, subject: Subject) -> None:
        self.base, self.roots, self.memory = subject.folder("read"), (), {}
        self._installed: Mapping[str, Any] = subject.asked("installed") or {}

    def digest_of(self, path: Path) -> str:
        return f"sha256:{content_sha256(path)}"

    def installed(self, kind: str) -> Mapping[str, Any]:
        found = self._installed.get(kind, ())
        return {one.name: _Installed(kind, one.name, tuple(one.accepts), tuple(one.produces), one.facts) for one in found}

    def ask(self, question: Question) -> None:
        return None


def _request(subject: Subject, written: Any) -> InputRequest:
    return InputRequest(written, subject.record.produces, "the kit", settings={})


def _written(subject: Subject) -> Any:
    """What its author has written; where they say nothing, the path of a file with a row."""
    written = subject.asked("written")
    if written is None:
        path = subject.folder("written") / "rows.jsonl"
        path.write_text('{"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}\n', encoding="utf-8")
        written = str(path)
    return written


def _read(subject: Subject, written: Any = None) -> PlannedInput:
    """What it makes of what is written."""
    written = _written(subject) if written is None else written
    found = subject.build().read(_request(subject, written), _Planner(subject))
    if found is None and subject.asked("written") is None:
        raise missing("written")
    if found is None:
        raise CheckFailed(f"it leaves {written!r} to others, which its author says it reads", fix="Read it, or write something else there.")
    return found


@action("input_reader")
def work(subject: Subject) -> None:
    """Read what is written."""
    _read(subject)


@observer("input_reader")
def observe(subject: Subject) -> dict[str, Any]:
    """What it answers, without the place of files."""
    found = _read(subject)
    return {"steps": [step.verb for step in found.steps], "size": found.size, "facts": dict(found.facts)}


@contextmanager
def _home(folder: Path) -> Iterator[None]:
    """With a home directory that is empty: nobody's own is read."""
    before = dict(os.environ)
    os.environ.update(HOME=str(folder), USERPROFILE=str(folder))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@check("input_reader.leaves-or-refuses", kind="input_reader", title="what is not its own it leaves to others, or refuses by a coded error")
def leaves(subject: Subject) -> Iterator[CheckFailed]:
    for written in STRANGE:
        try:
            with _home(subject.folder("home")):
                found = subject.build().read(_request(subject, written), _Planner(subject))
        except TunesmithError:
            continue
        except Exception as error:
            yield CheckFailed(f"{written!r} makes it raise {type(error).__name__}", found=str(error),
                              fix="Return None for what is not yours; raise `UserError` for what can't be read.")  # fmt: skip
            continue
        if found is not None and not isinstance(found, PlannedInput):
            yield CheckFailed(f"for {written!r} it answers {type(found).__name__}", fix="Answer a `PlannedInput`, or None.")


@check("input_reader.answers-a-plan", kind="input_reader", title="what it answers can be planned: steps in their order, or a file")
def answers(subject: Subject) -> Iterator[CheckFailed]:
    found, formats = _read(subject), subject.record.produces
    if not found.steps and found.file is None:
        yield CheckFailed("it answers neither steps nor a file", fix="Give what the step is to read.")
    for number, step in enumerate(found.steps):
        late = [key for key, source in step.inputs.items() if isinstance(source, int) and not 0 <= source < number]
        if late:
            yield CheckFailed(f"step {number} reads by `{late[0]}` what is not made before it", fix="Give the steps in their order.")
    if found.steps and not fits(found.steps[-1].format, formats):
        yield CheckFailed(f"its last step makes {found.steps[-1].format}, and its record says {', '.join(formats)}", fix="Correct either.")
    try:
        json.dumps([dict(found.facts), *(dict(step.settings) for step in found.steps)])
    except (TypeError, ValueError) as error:
        yield CheckFailed("its facts or a step's settings are no JSON", found=str(error), fix="Give numbers, strings, lists and mappings.")


@check("input_reader.same-answer", kind="input_reader", title="the same that is written gives the same answer: nothing is made twice")
def same(subject: Subject) -> None:
    written = _written(subject)
    one, other = _read(subject, written), _read(subject, written)
    if dataclasses.asdict(one) != dataclasses.asdict(other):
        raise CheckFailed(
            "two readers of the same differ", found=f"{one} and {other}"[:300], fix="Answer from what is written and read alone."
        )
