"""The ledger of rollouts: each completion with its tokens, the sampler's log-probabilities, its rewards and the policy's version; of an
episode its turns, with what the environment replied.

A line of JSON for each, in the order of collections, prompts and samples. While training runs it lies in the step's work directory, where a
checkpoint says how long it was, so that a run goes on within a collection with the completions that it had; beside the adapter it lies
compressed. Numbers are written so that float32 comes back bit for bit.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith_torch.api import Rollout, Score, Turn
from tunesmith_torch.training.report.sample_ledger import Ledger

ROLLOUTS = "rollouts.jsonl.gz"  #: in the artifact
_LINES = "rollouts.jsonl"  # in the work directory


class RolloutLedger(Ledger):
    """Of one step."""

    def __init__(self, directory: Path, *, writes: bool, name: str = _LINES) -> None:
        super().__init__(directory / name, writes=writes)

    def note(self, collection: int, rollouts: Sequence[Rollout], dropped: Sequence[Rollout] = ()) -> None:
        """The rollouts of a collection, from 0, in their order; behind them those that gave no gradient and were sampled again."""
        for rollout in rollouts:
            self.add({"collection": collection, **as_json(rollout)})
        for rollout in dropped:
            self.add({"collection": collection, "dropped": True, **as_json(rollout)})

    def of(self, collection: int, facts: Mapping[int, Mapping[str, Any]]) -> list[Rollout]:
        """The rollouts of a collection that was noted before, without those that were dropped.

        Args:
            facts: of the prompts by the number of their row, which the ledger does not hold.
        """
        lines = self._read() if self.path.exists() else iter(())
        return [from_json(line, facts.get(line["row"], {})) for line in lines if line["collection"] == collection and "dropped" not in line]

    def _read(self) -> Iterator[dict[str, Any]]:
        with open(self.path, encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def save(self, output: Path) -> None:
        """Beside the adapter; the same rollouts give the same bytes."""
        with open(output / ROLLOUTS, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, open(self.path, "rb") as lines:
            for line in lines:
                packed.write(line)


def as_json(rollout: Rollout) -> dict[str, Any]:
    """All of it but the prompt's facts."""
    score = rollout.score or Score(None)
    return {
        "row": rollout.row, "sample": rollout.sample, "attempt": rollout.attempt, "version": rollout.version,
        "prompt": list(rollout.prompt), "completion": list(rollout.completion), "text": rollout.text, "finished": rollout.finished,
        "reward": score.reward, "parts": dict(score.parts), "failed": score.failed, "log_probs": short(rollout.log_probs),
        "old": short(rollout.old), "reference": short(rollout.reference),
        "heads": {name: short(values) for name, values in rollout.heads.items()}, "turns": [asdict(turn) for turn in rollout.turns],
        "failure": rollout.failure,
    }  # fmt: skip


def from_json(line: Mapping[str, Any], facts: Mapping[str, Any]) -> Rollout:
    """The inverse."""
    return Rollout(
        line["row"], line["sample"], line["version"], line["prompt"], line["completion"], line["log_probs"], line["text"], line["finished"],
        facts, score=Score(line["reward"], line["parts"], line["failed"]), old=line["old"], attempt=line["attempt"],
        reference=line["reference"], heads=line["heads"], turns=tuple(Turn(**turn) for turn in line["turns"]), failure=line["failure"],
    )  # fmt: skip


def short(values: Sequence[float]) -> list[float]:
    """As they come back from the ledger: nine digits tell float32 numbers apart."""
    return [float(f"{value:.9g}") for value in values]
