"""Settings of the objective `process-reward`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class ProcessRewardSettings:
    step_separator: str = setting("\n", "what stands between two steps of a solution")
    train_on_last_step_only: bool = setting(False, "learn the last step's label alone, which then says whether the whole is right")
