"""The ledger of rollouts in an artifact: `rollouts.jsonl.gz`, as tunesmith-torch writes it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from tunesmith.errors import UserError

FILE = "rollouts.jsonl.gz"
Rollout = Mapping[str, Any]


def read(directory: Path) -> Iterator[Rollout]:
    """The rollouts one after the other.

    Raises:
        UserError: TS-TRAIN-131 for a file that is not whole.
    """
    try:
        with gzip.open(directory / FILE, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            "TS-TRAIN-131", f"the ledger of rollouts in {directory} can't be read", why=str(error),
            fix="Look at the artifact with `tunesmith store verify`; the step can be run again.",
        ) from error  # fmt: skip


def summaries(rollouts: Sequence[Rollout]) -> list[dict[str, Any]]:
    """Of each collection: the optimizer steps before it, how many completions are learned from, and their means; of episodes, the mean
    number of turns."""
    found: dict[int, list[Rollout]] = {}
    for rollout in rollouts:
        if rollout.get("dropped"):  # sampled for nothing: its prompt was completed anew
            continue
        found.setdefault(rollout["collection"], []).append(rollout)
    return [_summary(own) for _, own in sorted(found.items())]


def _summary(own: Sequence[Rollout]) -> dict[str, Any]:
    rewards = [one["reward"] for one in own if one["reward"] is not None]
    turns = {"turns": fmean(len(one["turns"]) for one in own)} if any(one["turns"] for one in own) else {}
    return {
        "steps_before": own[0]["version"], "completions": len(own), "reward": fmean(rewards) if rewards else None,
        "unscored": len(own) - len(rewards), "failed": sum(one["failed"] for one in own),
        "mean_length": fmean(len(one["log_probs"]) for one in own), "truncated": sum(not one["finished"] for one in own), **turns,
    }  # fmt: skip


def ordered(rollouts: Sequence[Rollout]) -> list[Rollout]:
    """Those that have a reward, the best first; of equal ones the earliest."""
    return sorted((one for one in rollouts if one["reward"] is not None), key=lambda one: -one["reward"])
