"""What this plugin brings: the reward `math`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_math_reward.settings import MathSettings


@hookimpl
def reward() -> Provider:
    return Provider(
        "math", "1 where the last formula or number equals the row's answer, by math-verify", "tunesmith_math_reward.reward:Math",
        settings=MathSettings,
    )  # fmt: skip
