"""`tunesmith lineage`: where an artifact came from."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith_cli.command import Command
from tunesmith_cli.commands.store import short
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.untrusted_text import safe

if TYPE_CHECKING:
    from tunesmith.running.journal.journal import Journal
    from tunesmith.running.journal.records import LineageRow


_LONGEST = 80  # letters of a value that is shown


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="", metavar="ARTIFACT|RUN", help="the beginning of a digest, or a run's id: all it gave")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith.config import find_home
    from tunesmith.running.journal.journal import FILE, Journal

    home = find_home()
    journal = Journal(home) if (home / FILE).is_file() else None
    rows = journal.runs() if journal else []
    if journal is None or not rows:
        raise UserError(
            "TS-CLI-011", f"nothing has been run in {home.parent}", fix="Start something: `tunesmith run`, or name another --home."
        )
    try:
        found = [ancestry(journal, digest) for digest in digests(journal, args.name or rows[0].id)]
    finally:
        journal.close()
    read = {one.digest for artifact in found for one in artifact.inputs.values()}
    ends = [artifact for artifact in found if artifact.digest not in read]  # the others stand below these
    told: set[str] = set()
    if args.json:
        print(json.dumps([one.to_json(told) for one in ends], indent=2))
    else:
        print(safe("\n\n".join("\n".join(_tree(one, told)) for one in ends)))
    return 0


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

    def to_json(self, told: set[str]) -> dict[str, Any]:
        """Once: what is in `told` is named by its digest alone, or models of models would be told twice at each turn.

        Args:
            told: digests; this one's and those of its inputs are added.
        """
        if self.digest in told:
            return {"digest": self.digest, "told": True}
        told.add(self.digest)
        makers = [{name: value for name, value in asdict(row).items() if name != "digest"} for row in self.makers]
        return {"digest": self.digest, "makers": makers, "inputs": {name: one.to_json(told) for name, one in self.inputs.items()}}


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


def _tree(one: Ancestry, told: set[str], name: str = "", indent: str = "") -> Iterator[str]:
    head = f"{indent}{name + ': ' if name else ''}{short(one.digest)}"
    if one.digest in told and one.inputs:
        yield f"{head}  {_('as above')}"
        return
    told.add(one.digest)
    if not one.makers:
        yield f"{head}  {_('a file as it was read')}"
        return
    made = next((row for row in one.makers if not row.cached), one.makers[0])
    yield f"{head}  {_of(made)}, {time.strftime('%Y-%m-%d %H:%M', time.localtime(made.time))}"
    yield from (f"{indent}    {line}" for line in _how(made))
    others = [_of(row) for row in one.makers if row is not made]
    if others:
        yield f"{indent}    " + _("also given by {steps}", steps=", ".join(others[:5]) + (" ..." if len(others) > 5 else ""))
    for key, above in one.inputs.items():
        yield from _tree(above, told, key, indent + "  ")


def _of(row: LineageRow) -> str:
    return _("{step} of {run}", step=row.step, run=row.run)


def _how(row: LineageRow) -> Iterator[str]:
    made = dict(row.producer or {})
    who = f"{made.get('kind', '')} {made.get('name', '')} ({made.get('distribution', '')} {made.get('version', '')})"
    yield _("by {who}", who=who) + _settings(made.get("settings") if made.get("kind") != "verb" else {})
    for slot, other in (made.get("slots") or {}).items():
        if (other.get("kind"), other.get("name")) != (made.get("kind"), made.get("name")):
            yield f"{slot} {other.get('name', '')}{_settings(other.get('settings'))}"
    if told := _settings(row.settings):
        yield f"{_('settings')}{told}"


def _settings(values: Any) -> str:
    """Those that say something in a word or two, on a line; `--json` has all."""
    plain = {name: value for name, value in (values or {}).items() if value not in (None, "", [], {}, False)}
    listed = [f"{name}={value}" for name, value in plain.items() if not isinstance(value, Mapping) and len(str(value)) <= _LONGEST]
    return f" {', '.join(listed)}" if listed else ""


COMMAND = Command(
    "lineage", "where an artifact came from: who made it of what, with which settings", configure, run,
    (
        ("all that the last run gave", "tunesmith lineage"),
        ("one artifact, by the beginning of its digest", "tunesmith lineage 3f9a21"),
        ("for programs", "tunesmith lineage 20260131-0930 --json"),
    ),
)  # fmt: skip
