"""The environment `verifiers`: tasks, tools and rewards of the verifiers package (0.4), played by the model in training."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_rewards.api import Observation, Opening
from tunesmith_verifiers.episode import Asked, Over, Told
from tunesmith_verifiers.settings import VerifiersSettings
from tunesmith_verifiers.stage import stage


class VerifiersEnvironment:
    """
    Raises:
        UserError: TS-REWARD-017 without a taskset, or where verifiers does not bring it up.
    """

    def __init__(self, settings: VerifiersSettings) -> None:
        if not settings.taskset:
            raise UserError("TS-REWARD-017", "the environment `verifiers` is given no taskset", fix="Set its `taskset` to the id of one.")
        self.settings = settings
        self.stage = stage(settings.taskset, json.dumps(settings.config, sort_keys=True))
        self._name = ""

    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        self.close()
        count = len(self.stage.tasks)
        number = row.get(self.settings.column)
        number = random.Random(seed).randrange(count) if number is None else int(number)
        if not 0 <= number < count:
            raise ValueError(f"there is no task {number}: the taskset has {count}")
        self._name, self._episode = self.stage.begin(number)
        self._told, said = Told(), self._episode.said.get()
        if isinstance(said, Over):
            self._name = ""
            raise RuntimeError(said.failure or "the episode was over before the model was asked")
        return Opening(self._told.opening(said), said.tools)

    def step(self, answer: str) -> Observation:
        return self._heard(self._episode.answer(answer))

    def end(self) -> float | None:
        return self._heard(self._episode.answer(None)).reward

    def close(self) -> None:
        """Nobody waits for an answer any more: what was begun and not ended is broken off."""
        if self._name:
            name, self._name = self._name, ""
            self._episode.answer(None)
            self.stage.end(name)

    def _heard(self, said: Asked | Over) -> Observation:
        if isinstance(said, Asked):
            return Observation(self._told.further(said))
        self.stage.end(self._name)
        self._name = ""
        if said.failure:
            raise RuntimeError(said.failure)
        return Observation(reward=said.reward, done=True)
