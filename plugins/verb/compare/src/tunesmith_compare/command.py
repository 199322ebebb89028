"""`tunesmith compare`: models beside one another, by what evaluators of past runs measured of them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError, did_you_mean
from tunesmith_cli.api import Command, chosen_run, gettext, past_runs, run_command, safe_json, write_whole
from tunesmith_compare import SUMMARY

if TYPE_CHECKING:
    from tunesmith_compare.comparison import Comparison
    from tunesmith_compare.result import Result


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("runs", nargs="*", metavar="RUN", help="ids of runs, or their beginnings (default: the last one)")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="only this model; may be given several times")
    parser.add_argument("--evaluator", action="append", default=[], metavar="NAME", help="only this evaluator; may be given several times")
    parser.add_argument("--base", default="", metavar="NAME", help="the model that the others are compared with (default: the first)")
    parser.add_argument("--leaderboard", action="store_true", help="of all past runs, the best model first")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="of a leaderboard: by this metric (default: the main one)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page, with the answers that differ first")
    parser.add_argument(
        "--rows", type=int, default=50, metavar="N", help="of the page: most rows with answers, of each evaluator (default: 50)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: Namespace) -> int:
    from tunesmith_compare.comparison import comparisons, labels
    from tunesmith_compare.text import comparison_text, leaderboard_text

    with ExitStack() as stack:
        found = _results(args, stack)
        names = set(labels(one.model for one in found).values())
        for name in filter(None, (args.base, *args.model)):
            if name not in names:
                raise UserError("TS-EVAL-007", f"no model `{name}` was evaluated", fix=did_you_mean(name, sorted(names)))
        made = _wanted(comparisons(found, args.base), args.model)
        if args.html:
            from tunesmith_compare.page import page_of

            write_whole(args.html, page_of(made, ranked=args.leaderboard, shown=args.rows))
        if args.json:
            from tunesmith_compare.data import to_json

            print(safe_json(to_json(made), 2))
        else:
            print(leaderboard_text(made, args.metric) if args.leaderboard else comparison_text(made))
            if args.html:
                print("\n" + gettext("page: {path}", path=args.html))
    return 0


def _results(args: Namespace, stack: ExitStack) -> list[Result]:
    """What was measured, in the order in which it counts: runs as they are named, of all past ones the newest first.

    Raises:
        UserError: TS-EVAL-006 where nothing was.
    """
    from tunesmith_compare.result import results

    if args.leaderboard and not args.runs:
        views = stack.enter_context(past_runs())
    else:
        views = [stack.enter_context(chosen_run(name)) for name in args.runs or [None]]
    every = [one for view in views for one in results(view)]
    found = [one for one in every if not args.evaluator or one.evaluator in args.evaluator]
    if found:
        return found
    known = sorted({one.evaluator for one in every})
    raise UserError(
        "TS-EVAL-006", "there is no evaluation to compare" + (f" by {' or '.join(args.evaluator)}" if known else ""),
        why=f"There are some by {', '.join(known)}." if known else "None of these runs has finished a step `evaluate`.",
        fix="Name others: `tunesmith runs list`; or evaluate first, several models with `from: [model, tune]`.",
    )  # fmt: skip


def _wanted(found: Sequence[Comparison], models: Sequence[str]) -> list[Comparison]:
    """Of the models that are named, all without names."""
    from tunesmith_compare.comparison import Comparison

    if not models:
        return list(found)
    kept: list[tuple[Any, dict[str, Any]]] = [
        (one, {label: result for label, result in one.results.items() if label in models}) for one in found
    ]
    return [Comparison(one.identity, results, one.base) for one, results in kept if results]


COMMAND = Command(
    "compare", SUMMARY, configure, run,
    (
        ("the models that the last run evaluated", "tunesmith compare"),
        ("those of two runs, as a page", "tunesmith compare 20260131-0930 20260131-1012 --html compare.html"),
        ("of all past runs, the best first", "tunesmith compare --leaderboard"),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith compare", arguments)
