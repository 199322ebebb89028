"""What the plan is told of a rank's share."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tunesmith.contracts import EstimateRequest
from tunesmith_fsdp.estimate import ALL, shares
from tunesmith_fsdp.settings import ShardingSettings


def asked(device: str = "cuda", **settings):
    return shares(EstimateRequest(settings=asdict(ShardingSettings(**settings)), device=device))


def test_each_rank_holds_its_part_and_two_layers():
    assert asked(num_processes=8) == {"parameters": 1 / 8, "gradients": 1 / 8, "optimizer": 1 / 8, "gathered": 2.0}


@pytest.mark.parametrize(
    ("settings", "share"), [({"num_processes": 8, "shard_size": 4}, 1 / 4), ({"num_processes": 8, "shard_size": 1}, 1.0)]
)
def test_a_group_divides_what_each_copy_takes(settings, share):
    assert asked(**settings)["optimizer"] == share


def test_what_is_kept_after_the_forward_pass_is_all_layers():
    assert asked(reshard_after_forward=False)["gathered"] == ALL


def test_what_is_offloaded_takes_nothing_of_the_device():
    assert asked(cpu_offload=True)["parameters"] == 0.0
    assert asked(device="cpu", cpu_offload=True)["parameters"] == 0.5
