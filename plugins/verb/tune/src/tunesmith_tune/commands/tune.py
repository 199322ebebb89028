"""`tunesmith tune`: search for a pipeline's best settings within a budget."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import DEFAULT_FILE, Command, run_command
from tunesmith_tune import TUNE

if TYPE_CHECKING:
    from tunesmith_tune.study.loop import SearchLoop

_PLACE = "steps.tune.settings.learning_rate"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument(
        "file", nargs="?", default=DEFAULT_FILE, metavar="FILE", help=f"the pipeline or its folder (default: ./{DEFAULT_FILE})"
    )
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", help="change a value for all trials; repeatable")
    parser.add_argument(
        "--search", nargs="+", action="extend", default=[], metavar="PATH=SPACE",
        help="what to search: log(1e-5,1e-3), uniform(0,0.3), int(4,64,4), choice(a,b) or a|b",
    )  # fmt: skip
    parser.add_argument(
        "--metric", nargs="+", action="extend", default=[], metavar="STEP.METRIC",
        help="what to search by, with :higher or :lower where its plugin does not say; several: the trials that no other beats in all",
    )  # fmt: skip
    parser.add_argument(
        "--budget", nargs="+", default=[], metavar="BUDGET", help="10 trials, 4h, 2 device-hours; of several the first that is spent"
    )
    quick = parser.add_argument_group("in place of a search")
    quick.add_argument(
        "--find-lr", nargs="?", const="", metavar="STEP", help="the learning rate of a step, by one short training in which it rises"
    )
    quick.add_argument(
        "--lr-to", type=float, default=0.1, metavar="X", help="the rate that it rises to, from a hundred-thousandth (default 0.1)"
    )
    quick.add_argument("--lr-steps", type=int, default=100, metavar="N", help="optimizer steps of that training (default 100)")
    asked = parser.add_argument_group("who is asked")
    asked.add_argument("--searcher", default="", metavar="NAME", help="default: the one that its plugin puts first")
    asked.add_argument("--searcher-set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the searcher; repeatable")
    asked.add_argument("--seed", type=int, default=0, metavar="N", help="of the search; the pipeline's own stays as it is (default 0)")
    asked.add_argument("--follow", choices=("auto", "none"), default="auto", help="auto: trials are given up by a validation on their way")
    running = parser.add_argument_group("running")
    running.add_argument("--parallel", type=int, default=1, metavar="N", help="trials at a time, as memory allows (default 1)")
    running.add_argument(
        "--patience", type=int, metavar="N",
        help="stop when the last N trials gained nothing that the rows can tell from chance; 0: never (default 12, for a grid 0)",
    )  # fmt: skip
    running.add_argument("--new", action="store_true", help="begin anew, and not where the same search was left")
    running.add_argument("--plan", action="store_true", help="hold the space against the pipeline, and run nothing")
    running.add_argument("--offline", action="store_true", help="environments are made of wheel folders and caches, not of the network")
    running.add_argument("--json", action="store_true", help="print a line of JSON for each trial, and for the result")


def run(args: Namespace) -> int:
    if args.find_lr is not None:
        _refuse_search(args)
        from tunesmith_tune.commands.find_lr import run as find_lr

        return find_lr(args)
    from tunesmith_tune.commands.display import Display
    from tunesmith_tune.commands.preparation import prepared

    with prepared(args) as ready:
        display = Display(ready.study, args.json)
        display.opening(ready)
        if args.plan:
            display.planned(ready)
            return 0
        with _stopped_by_signals(loop := ready.loop(display.leg)) as signals:
            reason = loop.run()
        result = ready.finish(reason)
        display.result(result)
        return 130 if signals else 0 if result.best else 1


def _refuse_search(args: Namespace) -> None:
    """
    Raises:
        UserError: TS-CLI-002 for options of a search, which --find-lr is in place of.
    """
    given = [name for name in ("search", "metric", "budget", "searcher", "searcher_set", "patience", "new", "plan") if getattr(args, name)]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        fix = f"Leave {option} out, or leave --find-lr out and search."
        raise UserError("TS-CLI-002", f"{option} is of a search, and --find-lr is in place of one", fix=fix)


@contextmanager
def _stopped_by_signals(loop: SearchLoop) -> Iterator[list[int]]:
    """Signals that ask a program to end stop the search: trials are left with a checkpoint."""
    heard: list[int] = []

    def stop(number: int, frame: Any) -> None:
        heard.append(number)
        loop.cancel()

    numbers = [one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMAND = Command(
    "tune", TUNE, configure, run,
    (
        ("the learning rate, in ten trials", f'tunesmith tune --search "{_PLACE}=log(1e-5,1e-3)" --metric score.nll --budget 10 trials'),
        (
            "rate and rank, for four hours, two trials at a time",
            f'tunesmith tune --search "{_PLACE}=log(1e-5,1e-3)" "steps.tune.adapter.lora.r=4|8|16" '
            "--metric score.nll --budget 4h --parallel 2",
        ),
        ("the learning rate, in one short training", "tunesmith tune --find-lr"),
        ("every combination", f'tunesmith tune --search "{_PLACE}=1e-4|3e-4" --metric score.nll --budget 100 trials --searcher grid'),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith tune", arguments)
