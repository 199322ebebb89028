"""`tunesmith recommend --track-record` and what else is done with the knowledge base in place of a recommendation."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import columns, safe, safe_json
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.commands.options import options_given

if TYPE_CHECKING:
    from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase
    from tunesmith_recommend.evidence.track_record import Record


def add_evidence(group: Any) -> None:
    """To a group of options of which one is given."""
    group.add_argument("--track-record", action="store_true", help="how good the predictions of time, memory and disk were, run by run")
    group.add_argument("--learn", action="store_true", help="make the knowledge base anew from the runs of this project")
    group.add_argument("--export", type=Path, metavar="FILE", help="write what is known of the runs: numbers, digests and names of plugins")
    group.add_argument("--merge", type=Path, metavar="FILE", help="add what somebody else has exported")


def asks_evidence(args: Namespace) -> bool:
    """Whether one of these options is given."""
    return bool(args.track_record or args.learn or args.export or args.merge)


def run_evidence(args: Namespace) -> int:
    """
    Raises:
        UserError: TS-RECOMMEND-005 where a file is no knowledge base, TS-CLI-002 for options of a recommendation, which is not made.
    """
    given = [*options_given(args), *(f"--{name}" for name in ("yaml", "all") if getattr(args, name))]
    if given:
        raise UserError(
            "TS-CLI-002", f"{given[0]} is of a recommendation, which needs --data FILE",
            fix=f"Leave {given[0]} out, or ask for a recommendation: tunesmith recommend --data FILE.",
        )  # fmt: skip
    if not args.merge and not _ran():
        print(safe_json({"records": [], "entries": []} if args.track_record else {"entries": 0}, 2) if args.json else _nothing())
        return 0
    with _base(anew=args.learn) as (base, learnt):
        if args.track_record:
            return _track_record(base, args.json)
        if args.export:
            told: dict[str, Any] = {"file": str(args.export), "entries": base.write(args.export)}
            words = _("{entries} steps of runs are in {file}: numbers, digests, and names of plugins and devices", **told)
        elif args.merge:
            told = {"file": str(args.merge), "new": base.merge(args.merge), "entries": len(base.entries())}
            words = _("{new} steps of runs are new, {entries} are known", **told)
        else:
            told = {"file": str(base.path), "runs": learnt, "entries": len(base.entries())}
            words = _("{file} was made anew from {runs} runs; {entries} steps are known", **told)
    print(safe_json(told, 2) if args.json else safe(words))
    return 0


def _ran() -> bool:
    """Whether anything was run in this home, or merged into it: where not, nothing is made there."""
    from tunesmith.config import load_config
    from tunesmith.running.journal.journal import FILE as JOURNAL
    from tunesmith_recommend.evidence.knowledge_base import FILE

    home = load_config().home
    return (home / JOURNAL).is_file() or (home / FILE).is_file()


@contextmanager
def _base(*, anew: bool) -> Iterator[tuple[KnowledgeBase, int]]:
    """The knowledge base of this home, with all that its runs say, and how many runs were asked."""
    from tunesmith.config import load_config
    from tunesmith.running.journal.journal import FILE, Journal
    from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase

    home = load_config().home
    with closing(KnowledgeBase(home)) as base:
        runs = 0
        if (home / FILE).is_file():
            with closing(Journal(home)) as journal:
                runs, _ = base.learn_all(journal, home, anew=anew)
        yield base, runs


def _track_record(base: KnowledgeBase, as_json: bool) -> int:
    from tunesmith_recommend.evidence.track_record import track_record

    entries = base.entries()
    records, here = track_record(entries), sum(entry.home == base.home for entry in entries)
    if as_json:
        told = [{"run": entry.to_json(), "here": entry.home == base.home} for entry in entries]
        print(safe_json({"records": [record.to_json() for record in records], "entries": told}, 2))
        return 0
    if not entries:
        print(_nothing())
        return 0
    other = _(", {count} of them from elsewhere", count=len(entries) - here) if here < len(entries) else ""
    print(_("{count} steps of runs{other}; measured by predicted: above 1, more was needed than was said", count=len(entries), other=other))
    print("\n" + columns([_head(), *map(_row, records)]))
    if any(record.what == "time" and record.unpredicted for record in records):
        print("\n" + _("Time is predicted of devices whose speed is known: `tunesmith probe` measures it."))
    return 0


def _nothing() -> str:
    return _("No run has been graded yet. What is predicted of a step is noted when it starts, and graded when its run is over.")


def _head() -> Sequence[str]:
    return (_("DEVICE"), _("STEP"), _("WHAT"), _("RUNS"), _("MEDIAN"), _("HALF OF THEM"), _("WORST"), _("UNKNOWN"))


def _row(record: Record) -> Sequence[str]:
    half = _("{low} to {high}", low=_ratio(record.low), high=_ratio(record.high)) if record.low is not None else "-"
    unknown = [_("{count} not predicted", count=record.unpredicted)] if record.unpredicted else []
    unknown += [_("{count} not measured", count=record.unmeasured)] if record.unmeasured else []
    figures = (str(record.runs), _ratio(record.median), half, _ratio(record.worst))
    return (record.device, record.step, _(record.what), *figures, ", ".join(unknown))


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
