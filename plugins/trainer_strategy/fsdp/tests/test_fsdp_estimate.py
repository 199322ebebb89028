"""What the plan is told of a rank's share, of what it sends, and of what serves a machine."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from tunesmith.contracts import Device, EstimateRequest, UserError
from tunesmith_fsdp.estimate import ALL, shares, variants
from tunesmith_fsdp.settings import ShardingSettings


def asked(device: str = "cuda", **settings):
    return shares(EstimateRequest(settings=asdict(ShardingSettings(**settings)), device=device))


def offered(count: int, node: int = 8, dtypes: tuple[str, ...] = ("float32", "bfloat16"), **step):
    cards = (Device("card", 1, 1, 0, facts={"node": node}),) * count
    return variants(EstimateRequest(device="cuda", dtypes=dtypes, devices=cards, step_settings=step))


def test_each_rank_holds_its_part_and_two_layers():
    told = asked(num_processes=8)
    assert {name: told[name] for name in ("parameters", "gradients", "optimizer", "gathered")} == {
        "parameters": 1 / 8, "gradients": 1 / 8, "optimizer": 1 / 8, "gathered": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "share"), [({"num_processes": 8, "shard_size": 4}, 1 / 4), ({"num_processes": 8, "shard_size": 1}, 1.0)]
)
def test_a_group_divides_what_each_copy_takes(settings, share):
    assert asked(**settings)["optimizer"] == share


def test_what_is_kept_after_the_forward_pass_is_all_layers():
    assert asked(reshard_after_forward=False)["gathered"] == ALL


def test_what_is_offloaded_takes_nothing_of_the_device():
    away = asked(cpu_offload=True)
    assert (away["parameters"], away["host_parameters"], away["host_optimizer"]) == (0.0, 0.5, 0.5)
    assert asked(device="cpu", cpu_offload=True)["parameters"] == 0.5


@pytest.mark.parametrize(("settings", "gather", "reduce", "group"), [
    ({}, 2 * 7 / 8, 7 / 8, 8), ({"reshard_after_forward": False}, 7 / 8, 7 / 8, 8), ({"shard_size": 4}, 2 * 3 / 4, 3 / 4 + 1 / 4, 4),
    ({"shard_size": 1}, 0.0, 2 * 7 / 8, 1),
])  # fmt: skip
def test_a_rank_sends_what_rings_send(settings, gather, reduce, group):
    told = asked(num_processes=8, **settings)
    assert (told.get("gather", 0.0), told["reduce"], told["group"]) == (gather, reduce, group)


def test_one_process_sends_nothing():
    assert {"gather", "reduce", "gathered"}.isdisjoint(asked(num_processes=1))


def test_a_process_for_each_device_is_offered_and_shards_within_a_node_where_there_are_several():
    assert offered(1) == []
    assert [one.get("shard_size") for one in offered(8)] == [None] * 3
    assert offered(16)[2]["shard_size"] == 8
    assert {one["num_processes"] for one in offered(16)} == {16}
    assert offered(16)[-1]["cpu_offload"] is True


def test_groups_that_do_not_come_to_the_processes_are_refused_in_the_plan():
    with pytest.raises(UserError, match="TS-TRAIN-064"):
        asked(num_processes=3, shard_size=2)


def test_processes_without_rows_are_offered_for_their_memory_alone():
    assert [one["num_processes"] for one in offered(64, batch_size=4)] == [4, 4, 4, 8, 8, 64, 64]
    assert [one["num_processes"] for one in offered(8, batch_size=1)] == [8, 8]
    assert len(offered(1000, batch_size=3)) <= 7


@pytest.mark.parametrize(("dtypes", "step", "cast"), [
    (("float32", "bfloat16"), {}, 2.0), (("float32", "bfloat16"), {"dtype": "float32"}, None), (("float32",), {}, None),
])  # fmt: skip
def test_parameters_are_gathered_in_the_type_that_is_computed_in(dtypes, step, cast):
    assert asked(**offered(2, dtypes=dtypes, **step)[0]).get("cast") == cast
