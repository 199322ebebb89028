"""What the plan is told of a rank's share, of what it sends, and of what serves a machine."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tunesmith.contracts import Device, EstimateRequest, UserError
from tunesmith_deepspeed.config import check
from tunesmith_deepspeed.estimate import estimate, variants
from tunesmith_deepspeed.presets import effective
from tunesmith_deepspeed.settings import ZeroSettings


def asked(device: str = "cuda", **settings):
    return estimate(EstimateRequest(settings=asdict(ZeroSettings(**settings)), device=device)).terms


def offered(count: int, device: str = "cuda", **step):
    return variants(EstimateRequest(device=device, devices=(Device("card", 1, 1, 0),) * count, step_settings=step))


def test_processes_without_rows_are_offered_for_their_memory_alone():
    assert {(one["num_processes"], one["stage"]) for one in offered(64, batch_size=4)} == {(4, 1), (4, 2), (4, 3), (64, 3)}
    assert {(one["num_processes"], one["stage"]) for one in offered(8, "cpu", batch_size=1)} == {(8, 3)}


@pytest.mark.parametrize(
    ("stage", "parameters", "gradients", "optimizer", "gathered"),
    [(1, 1.0, 1.0, 1 / 8, 0.0), (2, 1.0, 1 / 8, 1 / 8, 0.0), (3, 1 / 8, 1 / 8, 1 / 8, 2.0)],
)
def test_each_stage_divides_more(stage, parameters, gradients, optimizer, gathered):
    told = asked(num_processes=8, stage=stage)
    assert (told["parameters"], told["gradients"], told["optimizer"], told.get("gathered", 0.0)) == (
        parameters, gradients, optimizer, gathered,
    )  # fmt: skip


def test_what_is_offloaded_takes_nothing_of_the_device():
    away = asked(num_processes=8, stage=3, offload_optimizer="cpu", offload_param="cpu")
    assert (away["parameters"], away["gradients"], away["optimizer"], away["gathered"]) == (0.0, 0.0, 0.0, 2.0)
    assert (away["host_parameters"], away["host_gradients"], away["host_optimizer"]) == (1 / 8, 1 / 8, 1 / 8)
    assert asked(device="cpu", num_processes=8, stage=3, offload_param="cpu")["parameters"] == 1 / 8


def test_layers_come_to_one_device_from_the_host_as_well():
    assert asked(num_processes=1, stage=3, offload_param="cpu")["gathered"] == 2.0
    assert "gathered" not in asked(num_processes=1, stage=3)


def test_stages_1_and_2_keep_a_second_copy_of_what_trains_in_pieces():
    assert [asked(num_processes=8, stage=stage).get("master") for stage in (1, 2, 3)] == [1 / 8, 1 / 8, None]


@pytest.mark.parametrize(("stage", "gather", "reduce", "reduce_step"), [(1, 0, 0, 2), (2, 0, 1, 1), (3, 2, 1, 0)])
def test_a_rank_sends_as_often_as_zero_does(stage, gather, reduce, reduce_step):
    told = asked(num_processes=8, stage=stage)
    assert [told.get(name, 0.0) * 8 / 7 for name in ("gather", "reduce", "reduce_step")] == [gather, reduce, reduce_step]


def test_one_accelerator_is_offered_what_offloads_and_one_processor_nothing():
    assert [one["offload_optimizer"] for one in offered(1)] == ["cpu", "cpu"]
    assert offered(1, "cpu") == []


@pytest.mark.parametrize("count", [1, 8])
def test_what_is_offered_goes_together(count):
    for settings in offered(count):
        check(effective(ZeroSettings(**settings)), count)
        assert settings["num_processes"] == count


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"stage": 2, "offload_param": "cpu"}, "TS-TRAIN-068"), ({"stage": 3, "zero_hpz_partition_size": 3}, "TS-TRAIN-064"),
     ({"config": {"fp16": {}}}, "TS-TRAIN-067")],
    ids=["stage", "groups", "owned"],
)  # fmt: skip
def test_what_cannot_be_together_is_refused_by_the_plan(settings, code):
    with pytest.raises(UserError, match=code):
        asked(num_processes=8, **settings)
