"""A good minimal optimizer: momentum, corrected for its start from nothing."""

import dataclasses  # noqa: F401

import torch

from tunesmith_torch.api import parameter_groups


class Provider:
    def __init__(self, settings):
        self.settings = settings

    def build(self, parameters, *, learning_rate, device):
        return Momentum(parameter_groups(parameters, learning_rate=learning_rate, weight_decay=self.settings.weight_decay))


class Momentum(torch.optim.Optimizer):
    def __init__(self, groups):
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["mean"], state["count"] = torch.zeros_like(p), torch.tensor(0)
                state["count"] += 1
                state["mean"].lerp_(p.grad, 0.1)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(state["mean"] / (1 - 0.9 ** state["count"]), alpha=10 * group["lr"])


def estimate(request):
    return {"state": 4.0}
