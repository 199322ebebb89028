"""Where an artifact came from: who gave it, in which run, with which settings, out of what; back to the user's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith.running.journal.journal import Journal
from tunesmith.running.journal.records import LineageRow


@dataclass(frozen=True)
class Ancestry:
    """An artifact, or a file of the user's.

    Args:
        digest: of it.
        makers: the steps that gave it, the first one first; none for a file of the user's.
        inputs: name -> what its first maker read.
    """

    digest: str
    makers: tuple[LineageRow, ...]
    inputs: Mapping[str, Ancestry]

    def to_json(self) -> dict[str, Any]:
        makers = [{name: value for name, value in asdict(row).items() if name != "digest"} for row in self.makers]
        return {"digest": self.digest, "makers": makers, "inputs": {name: one.to_json() for name, one in self.inputs.items()}}


def ancestry(journal: Journal, digest: str) -> Ancestry:
    """Of the artifact with this digest; who made equal bytes is told, too."""
    known: dict[str, Ancestry] = {}

    def of(digest: str, above: frozenset[str]) -> Ancestry:
        if digest not in known:
            makers = tuple(journal.lineage(digest=digest))
            made = next((row for row in makers if not row.cached), makers[0] if makers else None)
            inputs = dict(made.inputs or {}) if made and digest not in above else {}
            found = {name: of(str(read), above | {digest}) for name, read in inputs.items() if read}
            known[digest] = Ancestry(digest, makers, found)
        return known[digest]

    return of(digest, frozenset())


def digests(journal: Journal, name: str) -> Iterator[str]:
    """What a name means: a digest or its beginning, else all that a run gave (its id, or the beginning of that), in order.

    Raises:
        UserError: TS-STORE-008 when there is nothing of that name.
    """
    rows = journal.lineage()
    wanted = name.removeprefix("sha256:")
    found = [row.digest for row in rows if wanted and row.digest.removeprefix("sha256:").startswith(wanted)]
    found = found or [row.digest for row in rows if row.run.startswith(name)]
    if not found:
        known = {row.run for row in rows} | {row.digest.removeprefix("sha256:")[: len(wanted)] for row in rows}
        raise UserError(
            "TS-STORE-008", f"no step of this home gave an artifact `{name}`",
            why="Artifacts are named by the beginning of their digest, runs by the beginning of their id.",
            fix=did_you_mean(name, known) or "`tunesmith store ls` lists the artifacts, `tunesmith runs list` the runs.",
        )  # fmt: skip
    yield from dict.fromkeys(found)
