"""Settings of the bundled environments."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class CalculatorSettings:
    column: str = setting("answer", "column of the row with the right number")
    tolerance: float = setting(1e-6, "how far from it an answer may be, as a share of it", ge=0)
    call_reward: float = setting(0.0, "what the first call that can be computed adds to the reward")
    system_prompt: str = setting("", "what stands before the row's messages, for models whose chat template does not tell them of tools")


@dataclass(frozen=True)
class GuessSettings:
    highest: int = setting(16, "the number to find is from 1 to this", ge=2)
    guess_cost: float = setting(0.1, "what each wrong guess takes off the reward of 1 for the right one", ge=0, le=1)
