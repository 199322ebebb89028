"""Environments as they should not be, for tests of the runner."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith_rewards.api import Observation, Opening


class Odd:
    """Repeats what it is told; a word of an answer has it fail in another way."""

    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        if row.get("opening") == "none":
            return Opening([])
        self.heard: list[str] = []
        self.row, self.seed = row, seed
        return Opening([{"role": "user", "content": f"{row['name']} {seed}"}])

    def step(self, answer: str) -> Observation:
        self.heard.append(answer)
        if answer == "raise":
            raise ValueError("no such move")
        if answer == "hang":
            time.sleep(600)
        if answer == "die":
            os._exit(3)
        if answer == "nan":
            return Observation(reward=float("nan"), done=True)
        if answer == "nothing":
            return Observation()
        if answer == "clock":
            return Observation([{"role": "user", "content": str(time.time_ns())}])
        if answer == "bye":
            return Observation(reward=len(self.heard), done=True)
        return Observation([{"role": "user", "content": " ".join(self.heard)}], 0.5 if answer == "half" else None)

    def end(self) -> float | None:
        return None if "silent" in self.heard else 0.25

    def close(self) -> None:
        if path := getattr(self, "row", {}).get("closed"):
            Path(path).write_text("closed")


class Unmade:
    def __init__(self) -> None:
        raise RuntimeError("no board")
