"""Checks of dataset sources: what an address names is brought whole, the same each time; what is not there is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import FoundDataset
from tunesmith_sdk.conformance import CheckFailed, Subject, action, check, observer

MISSING = "-that-is-not-there"


def _found(subject: Subject) -> tuple[Any, FoundDataset]:
    address = str(subject.author("address"))  # before the source is built: its author may have said in variables where the rows lie
    source = subject.build()
    return source, source.find(address, subject.step.work, subject.step)


def _brought(subject: Subject, name: str) -> tuple[FoundDataset, Path]:
    """What was found, and the folder that it was fetched into."""
    source, found = _found(subject)
    folder = subject.step.work / name
    folder.mkdir(parents=True, exist_ok=True)
    source.fetch(found, folder, subject.step)
    return found, folder


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@action("dataset_source")
def work(subject: Subject) -> None:
    """Find and fetch."""
    source, found = _found(subject)
    folder = subject.step.output / "rows"
    folder.mkdir(parents=True, exist_ok=True)
    source.fetch(found, folder, subject.step)


@observer("dataset_source")
def observe(subject: Subject) -> dict[str, Any]:
    """What it brings."""
    found, folder = _brought(subject, "observed")
    return {"files": dict(found.files), "rows": found.rows, "bytes": {name: len(data) for name, data in _contents(folder).items()}}


@check("dataset_source.declares-addresses", kind="dataset_source", title="its facts say which addresses are its own")
def declares(subject: Subject) -> None:
    facts = subject.record.facts
    schemes = facts.get("schemes", ())
    if not facts.get("folders") and not (schemes and all(isinstance(one, str) and one == one.lower() for one in schemes)):
        raise CheckFailed("neither `schemes` nor `folders` says what it reads", fix='Declare facts={"schemes": ["acme"]}.')


@check(
    "dataset_source.brings-what-it-found", kind="dataset_source",
    title="`fetch` brings exactly the files that `find` named, in their sizes, and those of rows are among them",
)  # fmt: skip
def brings(subject: Subject) -> Iterator[CheckFailed]:
    found, folder = _brought(subject, "brought")
    brought = {name: len(data) for name, data in _contents(folder).items()}
    if set(brought) != set(found.files):
        yield CheckFailed(f"it found {sorted(found.files)} and brought {sorted(brought)}", fix="Bring what was found, and nothing else.")
    elif wrong := [name for name, size in found.files.items() if size and size != brought[name]]:
        yield CheckFailed(f"`{wrong[0]}` has {brought[wrong[0]]} bytes, {found.files[wrong[0]]} were found", fix="Name the size, or 0.")
    if not found.rows or not set(found.rows) <= set(found.files):
        yield CheckFailed("none of its files, or others, are those of rows", fix="Name in `rows` which of `files` hold rows.")


@check("dataset_source.same-again", kind="dataset_source", title="asked again of what has not changed, it brings the same")
def same(subject: Subject) -> Iterator[CheckFailed]:
    (one, first), (other, second) = _brought(subject, "one"), _brought(subject, "other")
    if (one.revision, dict(one.files), one.rows) != (other.revision, dict(other.files), other.rows):
        yield CheckFailed("asked twice, it finds something else", fix="Take nothing of the moment into the revision.")
    elif _contents(first) != _contents(second):
        yield CheckFailed("fetched twice, the bytes are not the same", fix="Write the rows in one order, without times.")


@check("dataset_source.refuses-by-code", kind="dataset_source", title="an address with nothing there is refused by a coded error")
def refuses(subject: Subject) -> None:
    address = str(subject.author("address")) + MISSING
    try:
        subject.build().find(address, subject.step.work, subject.step)
    except UserError:
        return
    except Exception as error:
        raise CheckFailed(f"for {address} it raises {type(error).__name__}", found=str(error), fix="Raise `UserError`.") from None
    raise CheckFailed(f"it finds something at {address}", fix="Say that nothing is there.")
