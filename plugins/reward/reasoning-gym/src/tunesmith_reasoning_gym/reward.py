"""The reward `reasoning-gym`: what the task that made a row says of an answer, from 0 to 1; parts of an answer may count."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_reasoning_gym.settings import TaskRewardSettings
from tunesmith_rewards.api import column

TASK = "source_dataset"  #: of a row's metadata, by reasoning-gym


class TaskReward:
    def __init__(self, settings: TaskRewardSettings) -> None:
        import reasoning_gym  # takes seconds: while the reward is made, not while it is asked  # noqa: F401

        self.settings = settings
        self._functions: dict[str, Callable[..., float]] = {}

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float:
        """
        Raises:
            TunesmithError: TS-REWARD-004 for a row without `metadata`; TS-REWARD-009 for one of a task that is not there.
        """
        metadata = column(row, "metadata")
        entry = {"question": prompt, "answer": row.get("answer"), "metadata": metadata}
        return float(self._function(str(metadata.get(TASK, "")))(answer=answer_of(completion, self.settings.tag), entry=entry))

    def _function(self, task: str) -> Callable[..., float]:
        if task not in self._functions:
            from reasoning_gym import get_score_answer_fn

            try:
                self._functions[task] = get_score_answer_fn(task)
            except ValueError as error:
                raise TunesmithError(
                    "TS-REWARD-009", f"reasoning-gym has no task `{task}`", why=f"The row's `metadata` names it as its `{TASK}`.",
                    fix="Use rows that the verb `reasoning-gym` has made.",
                ) from error  # fmt: skip
        return self._functions[task]


def answer_of(completion: str, tag: str) -> str:
    """What stands last between the tags; all of it where there are none."""
    name = re.escape(tag)
    found = re.findall(f"<{name}>(.*?)</{name}>", completion, re.DOTALL) if tag else []
    return str(found[-1] if found else completion).strip()
