"""What this plugin brings: the verb and the reward `reasoning-gym`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Provider, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_reasoning_gym.settings import TaskRewardSettings, TaskSettings


@hookimpl
def verb() -> Sequence[Verb]:
    return [
        Verb(
            name="reasoning-gym",
            summary="rows of tasks that reasoning-gym makes, with what its reward needs to score answers",
            target="tunesmith_reasoning_gym.tasks:run",
            settings=TaskSettings,
            produces=("dataset/prompt",),
            facts={"metrics": {}},
            computes=False,
        )
    ]


@hookimpl
def reward() -> Provider:
    return Provider(
        "reasoning-gym", "what a task of reasoning-gym gives for the answer, 0 to 1", "tunesmith_reasoning_gym.reward:TaskReward",
        settings=TaskRewardSettings,
    )  # fmt: skip
