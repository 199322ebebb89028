"""The reward `model`: the number that a reward model's head gives for a completion: on no scale, comparable within one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_model_reward.conversation import conversation
from tunesmith_model_reward.settings import ModelRewardSettings


class ModelReward:
    """
    Raises:
        UserError: TS-REWARD-007 where not one of `path` and `url` is given, or the folder holds no reward model.
        TunesmithError: TS-SERVE-020 where the server can't be reached.
    """

    def __init__(self, settings: ModelRewardSettings) -> None:
        if bool(settings.path) == bool(settings.url):
            raise UserError(
                "TS-REWARD-007", "the reward `model` names two reward models" if settings.path else "the reward `model` names none",
                why="Its settings `path` and `url` say where it is: in a folder, or behind a server. "
                "A step's `reward_model` is its `path`.",
                fix="Give one of the two, or name the step that made it: `reward_model: STEP` beside `data`.",
            )  # fmt: skip
        self._model: Any
        if settings.path:
            from tunesmith_model_reward.local_model import LocalModel

            self._model = LocalModel(settings.path, settings.max_length)
        else:
            from tunesmith_model_reward.served_model import ServedModel

            self._model = ServedModel(settings)

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        return self.score_batch([prompt], [completion], [row])[0]

    def score_batch(self, prompts: Sequence[str], completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        found: list[float | None] = self._model.scores([conversation(*one) for one in zip(prompts, completions, rows, strict=True)])
        return found
