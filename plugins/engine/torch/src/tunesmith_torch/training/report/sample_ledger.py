"""The ledger of samples: which rows each optimizer step has learnt from, as all ranks together have counted them.

A line of JSON for each step, `{"step": 1, "epoch": 1, "rows": [4, 9], "losses": [1.204, 0.931]}`; rows are numbered from 1 as they
stand in the step's data. The losses, as they were before the step, are there where the objective tells them. A checkpoint says how long the
ledger was, and a run that goes on from it cuts off what came later.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import TunesmithError

SAMPLES = "samples.jsonl"


class Ledger:
    """Lines of JSON in a file that all ranks see.

    Args:
        writes: whether this rank is the one that writes.
    """

    def __init__(self, path: Path, *, writes: bool) -> None:
        self.path, self.writes = path, writes
        self._lines: list[str] = []

    def add(self, line: Mapping[str, Any]) -> None:
        if self.writes:
            self._lines.append(json.dumps(line) + "\n")

    def flush(self) -> int:
        """Bring what was noted to the disk; bytes that the ledger has, 0 for a rank that does not write."""
        if not self.writes:
            return 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.writelines(self._lines)
            file.flush()
            os.fsync(file.fileno())
        self._lines.clear()
        return self.path.stat().st_size

    def reaches(self, size: int) -> bool:
        """Whether it has as many bytes."""
        return self.path.exists() and self.path.stat().st_size >= size

    def cut(self, size: int) -> None:
        """Forget what comes after so many bytes."""
        self._lines.clear()
        if self.writes and self.path.exists():
            os.truncate(self.path, size)


class SampleLedger(Ledger):
    """The ledger of samples in `directory`."""

    def __init__(self, directory: Path, *, writes: bool) -> None:
        super().__init__(directory / SAMPLES, writes=writes)

    def note(self, step: int, epoch: int, rows: Sequence[int], losses: Sequence[float] = ()) -> None:
        """
        Args:
            losses: of the rows; four digits of each are kept.
        """
        told = {"losses": [float(f"{loss:.4g}") for loss in losses]} if losses else {}
        self.add({"step": step, "epoch": epoch, "rows": list(rows), **told})


def check_learnt(step: int, chosen: Sequence[int], counts: Sequence[float]) -> None:
    """Raises:
    TunesmithError: TS-TRAIN-086 unless the ranks together have learnt from each of the chosen rows once.
    """
    wrong = [f"row {row}: {count:g} times" for row, count in zip(chosen, counts, strict=True) if count != 1]
    if wrong:
        raise TunesmithError(
            "TS-TRAIN-086", f"Step {step} did not learn from each of its rows once: {', '.join(wrong[:5])}",
            why="The strategy has left out micro-batches, or given them to several processes.",
            fix="Tell the strategy's author; use another `strategy` meanwhile.",
        )  # fmt: skip
