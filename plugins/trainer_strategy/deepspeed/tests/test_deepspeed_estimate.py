"""What the plan is told of a rank's share."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith_deepspeed.estimate import shares
from tunesmith_deepspeed.settings import ZeroSettings


def asked(device: str = "cuda", **settings):
    return shares(EstimateRequest(settings=asdict(ZeroSettings(**settings)), device=device))


@pytest.mark.parametrize(
    ("stage", "parameters", "gradients", "optimizer", "gathered"),
    [(1, 1.0, 1.0, 1 / 8, 0.0), (2, 1.0, 1 / 8, 1 / 8, 0.0), (3, 1 / 8, 1 / 8, 1 / 8, 2.0)],
)
def test_each_stage_divides_more(stage, parameters, gradients, optimizer, gathered):
    told = {"parameters": parameters, "gradients": gradients, "optimizer": optimizer, "gathered": gathered}
    assert asked(num_processes=8, stage=stage) == told


def test_what_is_offloaded_takes_nothing_of_the_device():
    away = asked(num_processes=8, stage=3, offload_optimizer="cpu", offload_param="cpu")
    assert away == {"parameters": 0.0, "gradients": 0.0, "optimizer": 0.0, "gathered": 2.0}
    assert asked(device="cpu", num_processes=8, stage=3, offload_param="cpu")["parameters"] == 1 / 8
