"""Lion as in its paper's program, over some steps."""

from __future__ import annotations

import torch

from tunesmith_lion.optimizer import Lion
from tunesmith_lion.settings import LionSettings
from tunesmith_torch.api import Trained

RATE, DECAY, BETA1, BETA2, STEPS = 0.01, 0.1, 0.8, 0.95, 8


def test_steps_are_those_of_the_paper_s_program():
    drawn = torch.Generator().manual_seed(3)
    parameter = torch.nn.Parameter(torch.randn(7, 5, generator=drawn))
    weights, momentum = parameter.detach().clone(), torch.zeros(7, 5)
    provider = Lion(LionSettings(weight_decay=DECAY, beta1=BETA1, beta2=BETA2))
    optimizer = provider.build([Trained("one", parameter)], learning_rate=RATE, device="cpu")
    for _ in range(STEPS):
        gradient = torch.randn(7, 5, generator=drawn)
        parameter.grad = gradient.clone()
        optimizer.step()
        weights = weights * (1 - RATE * DECAY) - RATE * (BETA1 * momentum + (1 - BETA1) * gradient).sign()
        momentum = BETA2 * momentum + (1 - BETA2) * gradient
        torch.testing.assert_close(parameter.detach(), weights)
