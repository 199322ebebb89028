"""`tunesmith runs rollouts`: a table of collections, and the best and the worst of what was written."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, chosen_run, columns, number, run_command, safe, terminal_width
from tunesmith_rollouts import SUMMARY
from tunesmith_rollouts.ledger import FILE, Rollout, ordered, read, summaries

_MOST = 20  # collections that the table shows: the first, the last, and some between


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of a run, or its beginning (default: the last one)")
    parser.add_argument("--step", default="", metavar="STEP", help="the step; left out: the first that has rollouts")
    parser.add_argument("--row", type=int, default=0, metavar="N", help="only what was written for this row of the data, from 1")
    parser.add_argument("--show", type=int, default=3, metavar="N", help="how many of the best and of the worst to show (default: 3)")
    parser.add_argument("--json", action="store_true", help="print each rollout as a line of JSON, with its tokens and log-probabilities")


def run(args: Namespace) -> int:
    directory = _directory(args.run, args.step)
    found = (one for one in read(directory) if not args.row or one["row"] == args.row)
    if args.json:
        for rollout in found:
            print(json.dumps(rollout, ensure_ascii=False))
        return 0
    rollouts = list(found)
    if not rollouts:
        raise UserError("TS-TRAIN-130", f"nothing was written for row {args.row}", fix="Name a row that was trained on, or leave it out.")
    print(_table(rollouts))
    best = ordered(rollouts)
    print(_samples("best", best[: args.show]))
    print(_samples("worst", best[::-1][: args.show]))
    return 0


def _directory(run: str | None, step: str) -> Path:
    """Of the artifact that has a ledger."""
    with chosen_run(run) as view:
        if step and step not in view.steps:
            raise UserError("TS-CLI-013", f"run {view.row.id} has no step `{step}`", fix=f"It has {', '.join(view.steps)}.")
        for name in [step] if step else view.steps:
            artifact = view.artifact(name)
            if artifact is not None and (artifact.path / FILE).is_file():
                return artifact.path
        raise UserError(
            "TS-TRAIN-130", f"{f'step `{step}`' if step else 'no step'} of run {view.row.id} has rollouts",
            why="A training step writes them when its objective learns from the model's own completions (`grpo`), and has ended.",
            fix="Name another run: `tunesmith runs list`.",
        )  # fmt: skip


def _table(rollouts: Sequence[Rollout]) -> str:
    every = summaries(rollouts)
    stride = max(1, -(-len(every) // _MOST))
    shown = [one for at, one in enumerate(every) if at % stride == 0 or at == len(every) - 1]
    head = ["AFTER STEP", "COMPLETIONS", "REWARD", "UNSCORED", "FAILED", "TOKENS", "TRUNCATED"]
    turns = ["TURNS"] if any("turns" in one for one in every) else []
    return columns([(*head, *turns), *(_line(one, turns=bool(turns)) for one in shown)])


def _line(one: dict[str, object], *, turns: bool) -> tuple[str, ...]:
    values = [one[name] for name in ("steps_before", "completions", "reward", "unscored", "failed", "mean_length", "truncated")]
    values += [one.get("turns")] if turns else []
    return tuple("-" if value is None else number(value) for value in values)  # type: ignore[arg-type]


def _samples(which: str, rollouts: Iterable[Rollout]) -> str:
    width = terminal_width()
    lines = [f"\n{which}"]
    for one in rollouts:
        parts = ", ".join(f"{name} {'-' if value is None else number(value)}" for name, value in one["parts"].items())
        lines.append(f"  reward {number(one['reward'])}{f' ({parts})' if parts else ''}, row {one['row']}, after step {one['version']}")
        for said, text in _said(one):
            line = said + " ".join(safe(text).split())
            lines.append(f"    {line[: width - 8] + '...' if len(line) > width - 5 else line}")
    return "\n".join(lines)


def _said(one: Rollout) -> Iterator[tuple[str, str]]:
    """What is shown of it: its text, or its turns with what was replied, and before each who says it."""
    for turn in one["turns"]:
        given = "" if turn["reward"] is None else f" [{number(turn['reward'])}]"
        yield "> ", f"{turn['text']}{given}"
        yield from ((f"  {message['role']}: ", str(message["content"])) for message in turn["messages"])
    if not one["turns"]:
        yield "", one["text"]


COMMAND = Command(
    "rollouts", SUMMARY, configure, run,
    (("the last run", "tunesmith runs rollouts"), ("one prompt's, with the tokens", "tunesmith runs rollouts --row 4 --json")),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_command(COMMAND, "tunesmith runs rollouts", arguments)
