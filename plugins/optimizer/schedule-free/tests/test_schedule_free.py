"""Schedule-free AdamW as in its paper, its average, and what it does not go together with."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_schedule_free.estimate import parts
from tunesmith_schedule_free.optimizer import ScheduleFree
from tunesmith_schedule_free.settings import ScheduleFreeSettings
from tunesmith_torch.api import OwnSchedule, Trained

RATE, BETA1, BETA2, STEPS = 0.02, 0.8, 0.9, 9
RATES = [RATE * min(1.0, (number + 1) / 4) for number in range(STEPS)]  # a warm-up of four steps


def built(parameter):
    provider = ScheduleFree(ScheduleFreeSettings(beta1=BETA1, beta2=BETA2))
    assert isinstance(provider, OwnSchedule)
    assert provider.schedule() == "constant"
    return provider.build([Trained("one", parameter)], learning_rate=RATE, device="cpu")


def stepped(optimizer, parameter, rate, gradient):
    parameter.grad = gradient.clone()
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()


def test_what_is_used_is_the_average_of_the_steps_that_adam_makes():
    """y, z and x written down as the paper's algorithm has them; weights of the average are the squares of the highest rate so far."""
    drawn = torch.Generator().manual_seed(3)
    start = torch.randn(6, 4, generator=drawn, dtype=torch.float64)
    parameter = torch.nn.Parameter(start.clone())
    optimizer = built(parameter)
    x, z, square, total = start.clone(), start.clone(), torch.zeros_like(start), 0.0
    for number, rate in enumerate(RATES, 1):
        y = (1 - BETA1) * z + BETA1 * x
        torch.testing.assert_close(parameter.detach(), y)
        gradient = torch.randn(6, 4, generator=drawn, dtype=torch.float64)
        stepped(optimizer, parameter, rate, gradient)
        square = BETA2 * square + (1 - BETA2) * gradient**2
        z = z - rate * gradient / ((square / (1 - BETA2**number)).sqrt() + 1e-8)
        weight = max(RATES[:number]) ** 2
        total += weight
        x = (1 - weight / total) * x + weight / total * z
    optimizer.eval()
    torch.testing.assert_close(parameter.detach(), x)


def test_a_new_one_with_the_same_state_goes_on_bit_for_bit_in_the_midst_of_the_warm_up():
    drawn = torch.Generator().manual_seed(3)
    gradients = torch.randn(STEPS, 6, 4, generator=drawn)
    ends = []
    for halt in (None, 3):
        parameter = torch.nn.Parameter(torch.ones(6, 4))
        optimizer = built(parameter)
        for number, rate in enumerate(RATES):
            if number == halt:
                kept = {key: value.clone() for key, value in optimizer.state[parameter].items()}
                optimizer = built(parameter)
                optimizer.state[parameter] = kept
            stepped(optimizer, parameter, rate, gradients[number])
        optimizer.eval()
        ends.append(parameter.detach().clone())
    assert torch.equal(*ends)


def test_a_rate_that_falls_is_refused_in_the_plan():
    for schedule in ("auto", "constant"):
        assert parts(EstimateRequest({}, step_settings={"lr_scheduler_type": schedule})) == {"state": 8.0}
    with pytest.raises(UserError, match="cosine") as told:
        parts(EstimateRequest({}, step_settings={"lr_scheduler_type": "cosine"}))
    assert told.value.code == "TS-TRAIN-050"
