"""Expected time and traffic: near what others publish, and longer with what costs time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith_cuda.device_catalog import catalogue
from tunesmith_models import ModelShape
from tunesmith_torch.estimate.step_time import TrainingStep

CASES = Path(__file__).parents[5] / "tests" / "cases" / "estimates"
FULLY = {"parameters": 1 / 64, "optimizer": 1 / 64, "gather": 2 * 63 / 64, "reduce": 63 / 64, "cast": 2.0}


def shape(name: str) -> ModelShape:
    found = ModelShape.from_config(json.loads((CASES / f"{name}.json").read_text()))
    assert found is not None
    return found


def step(name: str = "llama-3.1-8b", **changes) -> TrainingStep:
    of = shape(name)
    usual = TrainingStep(
        of, FULLY, processes=64, length=8192, sequences=64, tokens=8192, trainable=float(of.parameters), state=8.0, dtype="bfloat16",
        compute=2.0, checkpointing=False,
    )  # fmt: skip
    return replace(usual, **changes)


#: (model, card, checkpointing, processes, tokens a second of each card, source)
PUBLISHED = [
    ("llama-3.1-8b", "A100-80GB", False, 64, 2904, "torchtitan, docs/performance.md of 2024: Llama 3 8B, 64 A100, batch 1, selective"),
    ("llama-3.1-70b", "A100-80GB", True, 64, 331, "torchtitan, docs/performance.md of 2024: Llama 3 70B, 64 A100, batch 1, full"),
    ("llama-3.1-8b", "H100-80GB", False, 8, 5762, "torchtitan, benchmarks: Llama 3.1 8B, 8 H100, FSDP"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "card", "checkpointing", "processes", "published", "source"), PUBLISHED, ids=lambda value: str(value)[:16]
)
def test_expected_time_is_within_a_half_of_what_is_published(model, card, checkpointing, processes, published, source):
    seconds = step(model, checkpointing=checkpointing, processes=processes, sequences=processes).seconds(catalogue()[card]["facts"])
    assert 8192 / seconds == pytest.approx(published, rel=0.5), source


def test_only_parameters_that_compute_a_token_cost_time_and_all_cost_traffic():
    dense, sparse = step("qwen3-32b"), step("qwen3-30b-a3b")
    assert sparse.operations < dense.operations / 5
    assert sparse.gathered == pytest.approx(dense.gathered, rel=0.1)


@pytest.mark.parametrize(("more", "times"), [
    ({"checkpointing": True}, 4 / 3), ({"trainable": 1e7}, 2 / 3), ({"references": 1.0}, 4 / 3), ({"strategy": {"computes": 0.5}}, 1 / 2),
])  # fmt: skip
def test_operations_are_counted_by_passes(more, times):
    assert step(**more).operations / step().operations == pytest.approx(times, rel=0.1)


def test_small_micro_batches_read_the_weights_as_often_and_gather_them():
    facts = catalogue()["A100-80GB"]["facts"]
    few = step(sequences=64 * 8, tokens=8 * 8192)
    many = step(sequences=64 * 8, tokens=128, length=8192)
    assert (few.micro_batches, many.micro_batches) == (1, 512)
    assert many.gathered == 512 * few.gathered
    assert many.seconds(facts) > few.seconds(facts)


def test_a_pair_stays_on_a_rank_so_that_processes_without_one_bring_no_speed():
    times = [step(sequences=8, together=2.0, processes=count).operations for count in (2, 4, 64)]
    assert times[0] == 2 * times[1] == 2 * times[2]


def test_no_device_computes_faster_than_its_host_launches():
    facts = catalogue()["H100-80GB"]["facts"]
    few = step("qwen3-0.6b", sequences=4, tokens=64, length=16, processes=1, strategy={}, trainable=1e5)
    assert few.seconds(facts) == pytest.approx(28 * 1e-3, rel=0.05)
    assert replace(few, tokens=16).seconds(facts) == pytest.approx(4 * 28 * 1e-3, rel=0.05)


def test_what_goes_between_nodes_is_as_fast_as_the_network():
    facts = dict(catalogue()["A100-80GB"]["facts"])
    slow = {**facts, "network": 1e9}
    assert step().seconds(slow) > 3 * step().seconds(facts)
    near = step(strategy={**FULLY, "group": 8.0, "reduce": 0.0})
    assert near.seconds(slow) == near.seconds(facts)


def test_what_waits_takes_as_much_longer():
    facts = catalogue()["A100-80GB"]["facts"]
    assert step(strategy={"idle": 0.5}).seconds(facts) > 1.9 * step(strategy={}).seconds(facts)


@pytest.mark.parametrize("facts", [{}, {"flops": {"float32": 1e12}, "bandwidth": 1e12}, {"flops": {"bfloat16": 1e12}, "bandwidth": 1e12}])
def test_without_figures_there_is_no_time(facts):
    assert step().seconds(facts) == 0.0


def test_a_host_holds_what_is_offloaded_with_buffers_and_the_model_while_it_loads():
    away = step(strategy={"host_gradients": 1 / 64, "host_optimizer": 1 / 64, "host_master": 1 / 64, "host_step": 1e-9})
    numbers = away.shape.parameters / 64
    assert away.host_bytes({}) == 1.5 * 16 * numbers
    loading = step(strategy={"host_loading": 1.0})
    assert loading.host_bytes({}) == 0.0
    assert loading.host_bytes({"host": 1, "node": 8}) == 4 * loading.shape.parameters / 8
    facts = catalogue()["A100-80GB"]["facts"]
    assert away.seconds(facts) > step(strategy={}).seconds(facts) + 0.9 * numbers * 8 * 1e-9


def test_no_time_is_told_across_nodes_whose_network_is_not_known():
    pipeline = {"computes": 1 / 8, "data": 1.0, "group": 4.0, "exchange": 0.5}  # all it counts stays in a node, and stages are in two
    facts = {name: value for name, value in catalogue()["A10"]["facts"].items()}
    assert facts["node"] == 4
    assert step("qwen3-0.6b", strategy=pipeline, processes=4).seconds(facts) > 0
    assert step("qwen3-0.6b", strategy=pipeline, processes=8).seconds(facts) == 0
    assert step("qwen3-0.6b", strategy=pipeline, processes=8).seconds({**facts, "network": 1e9}) > 0
