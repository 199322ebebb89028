"""`tunesmith rewards score`: what completions in a file get, and what junk would get, before anything is trained on it."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import UserError
from tunesmith_cli.api import Command, columns, number, run_group, safe, safe_json
from tunesmith_rewards import REWARDS

if TYPE_CHECKING:
    from tunesmith_rewards.api import Probe, RewardRunner, Score, Tally

SCORE = "what completions get from rewards, and what junk would get"
_SHOWN = 40  # characters of a completion


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="JSON Lines with `prompt`, `completion` and what else the rewards read")
    parser.add_argument(
        "--reward", action="append", required=True, metavar="NAME", help="a reward's name, or {NAME: {settings}, weight: 1}; repeatable"
    )
    parser.add_argument("--timeout", type=float, default=30.0, metavar="S", help="seconds that a reward may take for one (default 30)")
    parser.add_argument("--rows", type=int, default=20, metavar="N", help="rows that are shown, and probed with junk (default 20)")
    parser.add_argument("--json", action="store_true", help="print all as JSON")


def run(args: Namespace) -> int:
    from tunesmith_rewards.api import RewardRunner, junk, read_rewards

    rewards = read_rewards([_entry(text) for text in args.reward])
    rows = read_rows(args.file)
    prompts, completions = [text(row, "prompt") for row in rows], [text(row, "completion") for row in rows]
    with RewardRunner(rewards, timeout=args.timeout, max_failed_share=1) as runner:
        runner.start()
        scores = runner.score(prompts, completions, rows)
        few = slice(0, args.rows)
        probes = junk(runner, prompts[few], rows[few], [[one] for one in completions[few]])
        if args.json:
            print(safe_json(told(scores, probes, runner), 2))
        else:
            show(completions, scores, probes, runner, args.rows)
    return 0 if any(score.total is not None for score in scores) else 1


def read_rows(path: Path) -> list[dict[str, Any]]:
    """
    Raises:
        UserError: TS-REWARD-006 where there is no such file, or a line is no row with a prompt and a completion.
    """
    found: list[dict[str, Any]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("TS-REWARD-006", f"{path} can't be read", why=str(error), fix="Name a file of JSON Lines.") from error
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError("TS-REWARD-006", f"{path}:{at} is no JSON", why=str(error), fix="Write a JSON object in each line.") from error
        lacking = [name for name in ("prompt", "completion") if not isinstance(row, dict) or row.get(name) is None]
        if lacking:
            raise UserError("TS-REWARD-006", f"{path}:{at} has no `{lacking[0]}`", fix="Give each row a `prompt` and a `completion`.")
        found.append(row)
    if not found:
        raise UserError("TS-REWARD-006", f"{path} has no rows", fix="Give each line a `prompt` and a `completion`.")
    return found


def text(row: Mapping[str, Any], name: str) -> str:
    """A column's text; of a conversation, its messages' contents."""
    value = row[name]
    if isinstance(value, list):
        return "\n".join(str(message.get("content", "")) for message in value if isinstance(message, dict))
    return str(value)


def show(completions: Sequence[str], scores: Sequence[Score], probes: Sequence[Probe], runner: RewardRunner, most: int) -> None:
    names = [reward.name for reward in runner.rewards]
    rows = [("row", "total", *names, "completion")]
    for at, (completion, score) in enumerate(zip(completions[:most], scores, strict=False)):
        parts = [_part(score, name) for name in names]
        rows.append((str(at), _number(score.total), *parts, " ".join(completion.split())[:_SHOWN]))
    print(safe(columns(rows)))
    if len(scores) > most:
        print(f"... {len(scores) - most} more rows")
    print()
    for name, tally in runner.tallies.items():
        print(safe(_tallied(name, tally)))
    totals = [score.total for score in scores if score.total is not None]
    print(f"mean total of {len(totals)} of {len(scores)} rows: {number(sum(totals) / len(totals)) if totals else 'none'}\n")
    gets = [(one.name, _number(one.total), *(_number(one.parts.get(name)) for name in names)) for one in probes]
    print(safe(columns([("junk", "total", *names), *gets])))
    for warning in warnings(probes):
        print(safe(f"warning: {warning}"))


def warnings(probes: Sequence[Probe]) -> list[str]:
    """What to look into before training."""
    least = min((one.total for one in probes if one.total is not None), default=0.0)  # what wrong completions get, too, is no win
    found = [
        f"`{one.name}` gets at least as much as the completion in {one.wins:.0%} of the rows: training would learn it"
        for one in probes if one.wins is not None and one.wins >= 0.5 and (not one.equal or (one.total or 0.0) > least)
    ]  # fmt: skip
    if all(one.equal for one in probes):
        found.append("junk gets just what the completions get: there is nothing to learn from these rewards and rows")
    return found


def told(scores: Sequence[Score], probes: Sequence[Probe], runner: RewardRunner) -> dict[str, Any]:
    return {
        "rows": [{"total": one.total, "parts": dict(one.parts), "failed": dict(one.failed)} for one in scores],
        "rewards": {name: tally.to_json() for name, tally in runner.tallies.items()},
        "junk": [{"name": one.name, "total": one.total, "parts": dict(one.parts), "wins": one.wins} for one in probes],
        "warnings": warnings(probes),
    }


def _entry(written: str) -> Any:
    from tunesmith.planning.pipeline.yaml_lines import load_lines

    return load_lines(written, "--reward")[0] if written.lstrip().startswith("{") else written


def _number(value: float | None) -> str:
    return "-" if value is None else number(value)


def _part(score: Score, name: str) -> str:
    if name in score.failed:
        return "failed"
    return _number(score.parts[name]) if name in score.parts else ""


def _tallied(name: str, tally: Tally) -> str:
    line = f"{name}: {tally.asked} asked, {tally.unscored} unscored, {tally.failed} failed, {tally.seconds:.1f} s"
    return "\n".join([line, *(f"  {example}" for example in tally.examples)])


COMMAND = Command(
    "score", SCORE, configure, run,
    (
        ("one reward", "tunesmith rewards score completions.jsonl --reward exact"),
        (
            "two, weighted", "tunesmith rewards score completions.jsonl --reward '{exact: {column: solution}, weight: 2}' "
            "--reward '{length: {at_most: 80}}'",
        ),
    ),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    return run_group(REWARDS, (COMMAND,), "tunesmith rewards", arguments)
