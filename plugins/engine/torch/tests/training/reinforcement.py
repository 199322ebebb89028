"""Objectives of tests that learn from completions: they raise the log-probabilities of what has a reward, by as much. And what dies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch

from tunesmith_data.api import message
from tunesmith_torch.api import COMPLETIONS, Asks, Group, LossSum, Sampling, Score
from tunesmith_torch.training.experience.rollout_ledger import ROLLOUTS

ROWS = [{"messages": [message("user", text)], "columns": {"at": at}} for at, text in enumerate(["Hello", "Who?", "What is a plan?"] * 2)]


class Reinforcement:
    opened = closed = 0

    def encode(self, row, chat):
        return Group((chat.encode_prompt(row["messages"]),), {"row": row["columns"]})

    def learn(self, rollouts, state):
        return [[None if one.reward is None else {"gain": one.reward, "old": list(one.old)} for one in group] for group in rollouts]

    def open(self, inputs):
        self.opened += 1

    def close(self):
        self.closed += 1

    def weight(self, group):
        return float(len(group.facts.get(COMPLETIONS, [0])))

    def loss(self, batch):
        sums = torch.stack([own.sum() for own in batch.policy.split(list(batch.lengths))])
        gains = torch.tensor([facts["gain"] for group in batch.groups for facts in group.facts[COMPLETIONS]]).to(sums)
        return LossSum(-(gains * sums).sum())

    def formula(self, batch):
        facts = [facts for group in batch.groups for facts in group.facts[COMPLETIONS]]
        own = batch.policy.split(list(batch.lengths))
        return -sum(one["gain"] * values.sum() for one, values in zip(facts, own, strict=True)) / len(facts)


class Vowels(Reinforcement):
    """Reinforces completions by how many of their letters are vowels; those of the row 4 are unscored."""

    def __init__(self, **sampling) -> None:
        self.asks = Asks(sampling=Sampling(**({"num_generations": 4, "max_completion_length": 6} | sampling)))
        self.seen = []

    def score(self, rollouts):
        self.seen += rollouts
        return [
            Score(None if rollout.row == 4 else sum(letter in "aeiou" for letter in rollout.text), {"vowels": 1.0}) for rollout in rollouts
        ]


class Dies(Exception):
    """In place of a kill."""


def dying(function, at):
    """The function, at whose call number `at` something dies."""
    calls = []

    def call(*arguments, **named):
        calls.append(1)
        if len(calls) == at:
            raise Dies
        return function(*arguments, **named)

    return call


def adapter(output: Path) -> bytes:
    return (output / "adapter_model.safetensors").read_bytes()


def ledger(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress((output / ROLLOUTS).read_bytes()).splitlines()]
