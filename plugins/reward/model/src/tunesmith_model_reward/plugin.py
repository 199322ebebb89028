"""What this plugin brings: the reward `model`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_model_reward.settings import ModelRewardSettings


@hookimpl
def reward() -> Provider:
    return Provider(
        "model", "the score of a reward model", "tunesmith_model_reward.reward:ModelReward", settings=ModelRewardSettings,
        facts={"inputs": {"reward_model": "path"}},
    )  # fmt: skip
