"""`tunesmith recommend --track-record` and what else is done with the knowledge base in place of a recommendation."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_cli.api import columns, safe, safe_json

if TYPE_CHECKING:
    from tunesmith_recommend.evidence.knowledge_base import KnowledgeBase
    from tunesmith_recommend.evidence.track_record import Record


def add_evidence(group: Any) -> None:
    """To a group of options of which one is given."""
    group.add_argument("--track-record", action="store_true", help="how good the predictions of time, memory and disk were, run by run")
    group.add_argument("--learn", action="store_true", help="make the knowledge base anew from the runs of this project")
    group.add_argument("--export", type=Path, metavar="FILE", help="write what is known of the runs: numbers, digests and names of plugins")
    group.add_argument("--merge", type=Path, metavar="FILE", help="add what somebody else has exported")


def run_evidence(args: Namespace) -> int:
    """
    Raises:
        UserError: TS-RECOMMEND-005 where a file is no knowledge base.
    """
    if not args.merge and not _ran():
        print(safe_json({"records": [], "entries": []} if args.track_record else {"entries": 0}, 2) if args.json else _NOTHING)
        return 0
    with _base(anew=args.learn) as (base, learnt):
        if args.track_record:
            return _track_record(base, args.json)
        if args.export:
            told: dict[str, Any] = {"file": str(args.export), "entries": base.write(args.export)}
            words = f"{told['entries']} steps of runs are in {args.export}: numbers, digests, and names of plugins and devices"
        elif args.merge:
            told = {"file": str(args.merge), "new": base.merge(args.merge), "entries": len(base.entries())}
            words = f"{told['new']} steps of runs are new, {told['entries']} are known"
        else:
            told = {"file": str(base.path), "runs": learnt, "entries": len(base.entries())}
            words = f"{base.path} was made anew from {learnt} runs; {told['entries']} steps are known"
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
        print(_NOTHING)
        return 0
    other = f", {len(entries) - here} of them from elsewhere" if here < len(entries) else ""
    print(f"{len(entries)} steps of runs{other}; measured by predicted: above 1, more was needed than was said\n")
    print(columns([_HEAD, *map(_row, records)]))
    if any(record.what == "time" and record.unpredicted for record in records):
        print("\nTime is predicted of devices whose speed is known: `tunesmith probe` measures it.")
    return 0


_NOTHING = "No run has been graded yet. What is predicted of a step is noted when it starts, and graded when its run is over."
_HEAD = ("DEVICE", "STEP", "WHAT", "RUNS", "MEDIAN", "HALF OF THEM", "WORST", "UNKNOWN")


def _row(record: Record) -> Sequence[str]:
    half = f"{_ratio(record.low)} to {_ratio(record.high)}" if record.low is not None else "-"
    unknown = [f"{count} not {what}" for count, what in ((record.unpredicted, "predicted"), (record.unmeasured, "measured")) if count]
    figures = (str(record.runs), _ratio(record.median), half, _ratio(record.worst))
    return (record.device, record.step, record.what, *figures, ", ".join(unknown))


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
