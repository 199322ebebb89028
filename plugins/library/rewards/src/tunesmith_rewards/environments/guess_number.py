"""The environment `guess-number`: find a number by guesses, each of which is told to be too low or too high."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.api.environment import Observation, Opening
from tunesmith_rewards.environments.settings import GuessSettings


class Guess:
    def __init__(self, settings: GuessSettings) -> None:
        self.settings = settings

    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        self._number, self._guesses = random.Random(seed).randint(1, self.settings.highest), 0
        return Opening(row["messages"])

    def step(self, answer: str) -> Observation:
        numbers = re.findall(r"\d+", answer[:1000])
        if not numbers:
            return _user("Write a number.")
        guess = int(numbers[-1])
        if guess == self._number:
            return Observation(reward=max(0.0, 1 - self.settings.guess_cost * self._guesses), done=True)
        self._guesses += 1
        return _user("Higher." if guess < self._number else "Lower.")

    def end(self) -> float:
        return 0.0  # it was not found


def _user(text: str) -> Observation:
    return Observation([{"role": "user", "content": text}])
