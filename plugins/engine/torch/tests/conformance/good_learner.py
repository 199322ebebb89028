"""A good minimal objective that learns from completions: likelier, the more of their letters are vowels."""

import random  # noqa: F401

import torch

from tunesmith.contracts import UserError
from tunesmith_torch.api import COMPLETIONS, Asks, Group, LossSum, Sampling, Score


class Provider:
    asks = Asks(sampling=Sampling(num_generations=4, max_completion_length=6))

    def encode(self, row, chat):
        if not row["messages"]:
            raise UserError("TS-DATA-004", "the row has no question", fix="Give it one.")
        return Group((chat.encode_prompt(row["messages"][:1]),))

    def open(self, inputs):
        self.seen = 0.0

    def close(self):
        pass

    def score(self, rollouts):
        return [Score(sum(letter in "aeiou" for letter in one.text) / 10) for one in rollouts]

    def learn(self, rollouts, state):
        return [[{"gain": one.score.reward} for one in group] for group in rollouts]

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
