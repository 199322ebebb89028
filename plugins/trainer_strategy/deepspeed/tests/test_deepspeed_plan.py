"""What does not go together by ZeRO is told by the plan, before anything is computed."""

from __future__ import annotations

import pytest

from tunesmith.errors import TunesmithError


def test_freeze_keeps_values_for_a_reference_which_stage_3_has_not_whole(planned):
    with pytest.raises(TunesmithError) as refused:
        planned("{stage: 3}", train="dpo", adapter="freeze")
    assert [problem.code for problem in refused.value.problems] == ["TS-TRAIN-073"]
    assert planned("{stage: 2}", train="dpo", adapter="freeze")[0].placement.processes == 2
    assert planned("{stage: 3}", train="sft", adapter="freeze")[0].placement.processes == 2


@pytest.mark.parametrize(
    ("settings", "code"),
    [("{stage: 2, offload_param: cpu}", "TS-TRAIN-068"), ("{num_processes: 8, stage: 3, zero_hpz_partition_size: 3}", "TS-TRAIN-064"),
     ("{preset: several-nodes, num_processes: 12}", "TS-TRAIN-064"), ("{config: {fp16: {}}}", "TS-TRAIN-067"),
     ("{backend: foo}", "TS-TRAIN-063"), ("{stage: 1, stage3_prefetch_bucket_size: 9}", "TS-TRAIN-068")],
    ids=["stage", "groups", "preset", "owned", "backend", "idle"],
)  # fmt: skip
def test_settings_that_cannot_be_together_are_refused(planned, settings, code):
    with pytest.raises(TunesmithError) as refused:
        planned(settings)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_a_refusal_says_which_values_are_the_presets(planned):
    with pytest.raises(TunesmithError) as refused:
        planned("{preset: several-nodes, num_processes: 12}")
    why = refused.value.problems[0].why
    assert "Of the preset `several-nodes` are" in why
    assert "`zero_hpz_partition_size: 8`" in why
    assert "num_processes" not in why


def test_an_optimizer_that_swaps_weights_is_refused_by_its_name(planned):
    with pytest.raises(TunesmithError) as refused:
        planned("{stage: 2}", more=", optimizer: schedule-free")
    (problem,) = refused.value.problems
    assert problem.code == "TS-PLAN-003"
    assert "`schedule-free` requires `weights.swapped`" in problem.what
