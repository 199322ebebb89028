"""`tunesmith runs ...`: what was run here, from the journal."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.command import Command
from tunesmith.cli.foreign import safe
from tunesmith.cli.reporting.quantities import duration, number
from tunesmith.cli.tables import columns
from tunesmith.errors import TunesmithError, UserError
from tunesmith.running.outcome import can_go_on

if TYPE_CHECKING:
    from tunesmith.running.journal import Journal
    from tunesmith.running.journal_rows import CacheRow, RunRow, StepRow


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _configure_run(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of a run, or its beginning (default: the last one)")


@contextmanager
def _journal() -> Iterator[tuple[Journal | None, Path]]:
    """The journal of this home; None if nothing was ever run here, and then none is made."""
    from tunesmith.config import load_config
    from tunesmith.running.journal import FILE, Journal
    from tunesmith.running.runs import mark_interrupted

    home = load_config().home
    if not (home / FILE).is_file():
        yield None, home
        return
    journal = Journal(home)
    try:
        mark_interrupted(journal, home)
        yield journal, home
    finally:
        journal.close()


@contextmanager
def _chosen(name: str | None) -> Iterator[tuple[Journal, RunRow, Path]]:
    """The run that is meant, with its directory."""
    from tunesmith.running.runs import directory, find

    with _journal() as (journal, home):
        rows = journal.runs() if journal else []
        if journal is None or not rows:
            raise UserError(
                "TS-CLI-011", f"nothing has been run in {home.parent}", fix="Start something: `tunesmith run`, or name another --home."
            )
        row = find(journal, name) if name else rows[0]
        yield journal, row, directory(home, row.id)


# --- list ----------------------------------------------------------------------------------------------------------------------------


def run_list(args: Namespace) -> int:
    with _journal() as (journal, home):
        rows = [(row, journal.steps(row.id)) for row in journal.runs()] if journal else []
    if args.json:
        print(json.dumps([asdict(row) | {"steps": len(steps)} for row, steps in rows], indent=2))
    elif not rows:
        print(f"Nothing has been run in {home.parent}.")
    else:
        table = [("RUN", "PIPELINE", "STATE", "STEPS", "STARTED", "TOOK")]
        for row, steps in rows:
            done = sum(step.state == "done" for step in steps)
            table.append((row.id, row.pipeline, row.state, f"{done}/{len(steps)}", _clock(row.started), _took(row.started, row.finished)))
        print(columns(table))
    return 0


# --- show ----------------------------------------------------------------------------------------------------------------------------


def configure_show(parser: ArgumentParser) -> None:
    _configure_run(parser)
    parser.add_argument("--report", action="store_true", help="print only the path of its report")
    parser.add_argument("--open", action="store_true", help="open its report in a browser")
    _configure(parser)


_TOLD = ("metrics", "producer", "inputs")  # of the step's own making, whoever made equal bytes before


def _made(journal: Journal, step: StepRow) -> CacheRow | None:
    """How what the step gave was made; None where that is not known any more, or it gave nothing."""
    known = journal.cached(step.key) if step.key and step.artifact else None
    return known if known and known.digest == step.artifact else None


def run_show(args: Namespace) -> int:
    with _chosen(args.run) as (journal, row, directory):
        report = directory / "report.html"
        if args.report or args.open:
            return _report(report, args)
        steps = [(step, _made(journal, step)) for step in journal.steps(row.id)]
        decisions = journal.decisions(row.id)
    if args.json:
        found: dict[str, Any] = asdict(row) | {"directory": str(directory), "report": str(report) if report.is_file() else None}
        found["steps"] = [asdict(step) | {name: dict(getattr(known, name, {})) for name in _TOLD} for step, known in steps]
        found["decisions"] = [{"step": step, "what": what, "reason": reason} for step, what, reason in decisions]
        print(json.dumps(found, indent=2))
        return 0
    facts = [("run", row.id), ("pipeline", row.pipeline + (f", {row.path}" if row.path else "")), ("state", row.state),
             ("started", _clock(row.started)), ("took", _took(row.started, row.finished)), ("directory", str(directory))]  # fmt: skip
    print(columns([*facts, ("report", str(report))] if report.is_file() else facts))
    print("\n" + columns([("STEP", "STATE", "TOOK", "METRICS"), *(_line(step, known) for step, known in steps)]))
    error = TunesmithError.from_json(row.error) if row.error else None
    if error:
        from tunesmith.cli.complaints import error_text

        print("\n" + error_text(error))
    if decisions:
        print("\ndecisions")
        print(safe("\n".join(f"  {step + ': ' if step else ''}{what} ({reason.rstrip('.')})" for step, what, reason in decisions)))
    if can_go_on(row.state, error):
        print(f"\nto go on: tunesmith resume {row.id}")
    return 0


def _report(report: Path, args: Namespace) -> int:
    if not report.is_file():
        raise UserError("TS-CLI-012", f"the run has no report at {report}", why="A report is written when a run ends.",
                        fix="Go on with the run: `tunesmith resume`.")  # fmt: skip
    print(json.dumps({"report": str(report)}) if args.json else report)
    if args.open:
        import webbrowser

        webbrowser.open(report.as_uri())
    return 0


def _line(step: StepRow, known: Any) -> tuple[str, str, str, str]:
    state = f"{step.state} (cache)" if step.cached and step.state == "done" else step.state
    seconds = duration(known.seconds) if known and step.cached else _took(step.started, step.finished)
    metrics = known.metrics if known and step.artifact else {}
    return step.step, state, seconds, ", ".join(f"{name} {number(value)}" for name, value in metrics.items())


# --- logs ----------------------------------------------------------------------------------------------------------------------------


def configure_logs(parser: ArgumentParser) -> None:
    _configure_run(parser)
    parser.add_argument("--step", default="", metavar="STEP", help="only this step, with what its processes printed")
    _configure(parser)


def run_logs(args: Namespace) -> int:
    with _chosen(args.run) as (journal, row, directory):
        names = [step.step for step in journal.steps(row.id)]
        if args.step and args.step not in names:
            from tunesmith.errors import did_you_mean

            raise UserError("TS-CLI-013", f"run {row.id} has no step `{args.step}`", fix=did_you_mean(args.step, names))
        events = journal.events(row.id, args.step)
    files = _files(directory, names.index(args.step)) if args.step else []
    if args.json:
        listed = [{"time": at, "step": step, "kind": kind, "text": text} for at, step, kind, text in events]
        print(json.dumps({"run": row.id, "events": listed, "files": [str(path) for path in files]}, indent=2))
        return 0
    for at, step, kind, text in events:
        print(safe(f"{time.strftime('%H:%M:%S', time.localtime(at))} {kind:<8} {step + ': ' if step else ''}{text}"))
    for path in files:
        print(safe(f"\n--- {path}\n{path.read_text(encoding='utf-8', errors='replace').rstrip()}"))
    if not args.step:
        print(f"what the steps' processes printed: --step STEP, or in {directory / 'logs'}")
    return 0


def _files(directory: Path, position: int) -> list[Path]:
    """What a step's processes printed, where that is not nothing."""
    return sorted(path for path in directory.glob(f"logs/{position:02d}-*/*") if path.is_file() and path.stat().st_size)


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _took(started: float | None, finished: float | None) -> str:
    return duration(finished - started) if started and finished else "-"


_EXAMPLE_RUN = "20260131-0930"
COMMANDS = (
    Command("list", "all runs, the newest first", _configure, run_list, (("what has been run here", "tunesmith runs list"),)),
    Command(
        "show", "one run: its steps, metrics, decisions and report", configure_show, run_show,
        (("the last run", "tunesmith runs show"), ("the report of a certain one", f"tunesmith runs show {_EXAMPLE_RUN} --open")),
    ),
    Command(
        "logs", "what a run and its steps' processes said", configure_logs, run_logs,
        (("the last run", "tunesmith runs logs"), ("one step, with its output", "tunesmith runs logs --step tune")),
    ),
)  # fmt: skip
