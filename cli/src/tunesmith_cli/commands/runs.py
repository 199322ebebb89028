"""`tunesmith runs ...`: what was run here, from the journal."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import TunesmithError, UserError
from tunesmith.running.outcome import can_go_on
from tunesmith_cli.chosen_run import chosen_run, opened_journal
from tunesmith_cli.command import Command
from tunesmith_cli.display.number_format import duration, number, ratio
from tunesmith_cli.runs_diff.command import COMMAND as DIFF
from tunesmith_cli.store_gc.command import PRUNE
from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.untrusted_text import safe

if TYPE_CHECKING:
    from tunesmith.running.journal.run_view import RunView, StepView


def _configure(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _configure_run(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of a run, or its beginning (default: the last one)")


# --- list ----------------------------------------------------------------------------------------------------------------------------


def configure_list(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also those that commands ran on their way, such as a preview of data")
    _configure(parser)


def run_list(args: Namespace) -> int:
    with opened_journal() as (journal, home):
        rows = [(row, journal.steps(row.id)) for row in journal.runs() if args.all or not row.aside] if journal else []
    if args.json:
        print(json.dumps([asdict(row) | {"steps": len(steps)} for row, steps in rows], indent=2))
    elif not rows:
        print(_("Nothing has been run in {folder}.", folder=home.parent))
    else:
        table = [(_("RUN"), _("PIPELINE"), _("STATE"), _("STEPS"), _("STARTED"), _("TOOK"))]
        for row, steps in rows:
            done = sum(step.state == "done" for step in steps)
            state, took = translated(row.state), _took(row.started, row.finished)
            table.append((row.id, row.pipeline, state, f"{done}/{len(steps)}", _clock(row.started), took))
        print(columns(table))
    return 0


# --- show ----------------------------------------------------------------------------------------------------------------------------


def configure_show(parser: ArgumentParser) -> None:
    _configure_run(parser)
    parser.add_argument("--report", action="store_true", help="print only the path of its report, where a plugin has written one")
    parser.add_argument("--open", action="store_true", help="open its report in a browser")
    _configure(parser)


def run_show(args: Namespace) -> int:
    with chosen_run(args.run) as view:
        if args.report or args.open:
            return _report(view, args)
        print(json.dumps(view.to_json(), indent=2) if args.json else _page(view))
    return 0


def _page(view: RunView) -> str:
    row = view.row
    facts = [(_("run"), row.id), (_("pipeline"), row.pipeline + (f", {row.path}" if row.path else "")), (_("state"), translated(row.state)),
             (_("started"), _clock(row.started)), (_("took"), _took_of(view)), (_("directory"), str(view.directory))]  # fmt: skip
    parts = [columns([*facts, (_("report"), str(view.report))] if view.report else facts)]
    parts.append(columns([(_("STEP"), _("STATE"), _("TOOK"), _("METRICS")), *map(_line, view.steps.values())]))
    error = TunesmithError.from_json(row.error) if row.error else None
    if error:
        from tunesmith_cli.errors import error_text

        parts.append(error_text(error))
    if view.decisions:
        told = [
            f"  {step + ': ' if step else ''}{translated(what)} ({translated(reason).rstrip('.')})" for step, what, reason in view.decisions
        ]
        parts.append(safe("\n".join([_("decisions"), *told])))
    if can_go_on(row.state, error):
        parts.append(_("to go on: {command}", command=f"tunesmith resume {row.id}"))
    return "\n\n".join(parts)


def _report(view: RunView, args: Namespace) -> int:
    report = view.report
    if report is None:
        raise UserError(
            "TS-CLI-012", f"the run has no report in {view.directory}", why="The plugin tunesmith-report writes one when a run ends.",
            fix="Go on with the run: `tunesmith resume`. Where that plugin is not installed: pip install tunesmith",
        )  # fmt: skip
    print(json.dumps({"report": str(report)}) if args.json else report)
    if args.open:
        import webbrowser

        webbrowser.open(report.as_uri())
    return 0


def _line(step: StepView) -> tuple[str, str, str, str]:
    row = step.row
    state = _("done (cache)") if row.cached and row.state == "done" else translated(row.state)
    if row.state == "running" and step.progress:
        task = step.progress[-1]
        state = safe(f"{state}: {translated(task.what)} {ratio(task.done, task.total, task.unit)}".replace(":  ", ": "))
    seconds = "-" if step.seconds is None else duration(step.seconds)
    return step.name, state, seconds, ", ".join(f"{name} {number(value)}" for name, value in step.metrics.items())


# --- logs ----------------------------------------------------------------------------------------------------------------------------


def configure_logs(parser: ArgumentParser) -> None:
    _configure_run(parser)
    parser.add_argument("--step", default="", metavar="STEP", help="only this step, with what its processes printed")
    _configure(parser)


def run_logs(args: Namespace) -> int:
    with chosen_run(args.run) as view:
        row, directory, names = view.row, view.directory, list(view.steps)
        if args.step and args.step not in names:
            from tunesmith.errors import did_you_mean

            raise UserError("TS-CLI-013", f"run {row.id} has no step `{args.step}`", fix=did_you_mean(args.step, names))
        events = view.events(args.step)
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
        print(_("what the steps' processes printed: --step STEP, or in {folder}", folder=directory / "logs"))
    return 0


def _files(directory: Path, position: int) -> list[Path]:
    """What a step's processes printed, where that is not nothing."""
    return sorted(path for path in directory.glob(f"logs/{position:02d}-*/*") if path.is_file() and path.stat().st_size)


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _took(started: float | None, finished: float | None) -> str:
    return duration(finished - started) if started and finished else "-"


def _took_of(view: RunView) -> str:
    """From its start to its end; with what its steps took, where it lay still for more than a tenth of that: killed, and gone on with."""
    told, steps = _took(view.row.started, view.row.finished), sum(step.seconds or 0.0 for step in view.steps.values())
    if not view.row.finished or view.row.finished - view.row.started < steps + max(60.0, steps / 9):
        return told
    return _("{time} from its start to its end; its steps took {steps}", time=told, steps=duration(steps))


_EXAMPLE_RUN = "20260131-0930"
COMMANDS = (
    Command("list", "all runs, the newest first", configure_list, run_list, (("what has been run here", "tunesmith runs list"),)),
    Command(
        "show", "one run: its steps, metrics and decisions", configure_show, run_show,
        (("the last run", "tunesmith runs show"), ("the report of a certain one", f"tunesmith runs show {_EXAMPLE_RUN} --open")),
    ),
    Command(
        "logs", "what a run and its steps' processes said", configure_logs, run_logs,
        (("the last run", "tunesmith runs logs"), ("one step, with its output", "tunesmith runs logs --step tune")),
    ),
    DIFF,
    PRUNE,
)  # fmt: skip
