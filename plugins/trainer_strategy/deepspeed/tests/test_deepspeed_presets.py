"""Presets: data with reasons and sources; what a user writes goes before them, and the plan says which value came from where."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from tunesmith.contracts.settings import problems, schema_of
from tunesmith.errors import TunesmithError
from tunesmith_deepspeed.config import check, config_of
from tunesmith_deepspeed.presets import BUILT_IN, decisions, effective, presets
from tunesmith_deepspeed.settings import ZeroSettings

NAMES = ("one-24gb-card", "two-a100", "node-of-eight", "several-nodes")
#: something else than any preset says, and taken beside it
OTHERS = {
    "num_processes": 24, "stage": 1, "offload_optimizer": "none", "offload_param": "none", "overlap_comm": False,
    "reduce_bucket_size": 77, "allgather_bucket_size": 78, "zero_hpz_partition_size": 4, "stage3_prefetch_bucket_size": 79,
    "stage3_param_persistence_threshold": 80, "stage3_max_live_parameters": 81, "sub_group_size": 82,
}  # fmt: skip


def test_there_is_one_for_each_usual_situation_with_its_reasons_and_source():
    assert tuple(presets()) == NAMES
    for one in presets().values():
        assert one.source.startswith("https://")
        assert all((one.summary, one.reason, *one.reasons.values()))


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_sets_what_the_plugin_has_and_what_goes_together(name):
    schema, values = schema_of(ZeroSettings), presets()[name].values
    assert not [*problems(schema, dict(values))]
    assert set(values) <= {*BUILT_IN, "overlap_comm"}
    settings = effective(ZeroSettings(preset=name))
    check(settings, settings.num_processes)
    assert {key: getattr(settings, key) for key in values} == dict(values)
    assert {key: getattr(settings, key) for key in BUILT_IN if key not in values} == {k: BUILT_IN[k] for k in BUILT_IN if k not in values}


def test_without_a_preset_everything_is_built_in_and_nothing_is_told():
    assert {name: getattr(effective(ZeroSettings()), name) for name in BUILT_IN} == dict(BUILT_IN)
    assert [*decisions(ZeroSettings())] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", OTHERS)
def test_what_the_user_sets_goes_before_every_preset(name, key):
    """In what DeepSpeed is given as well, where the stage has it."""
    usual, own = effective(ZeroSettings(preset=name)), effective(ZeroSettings(preset=name, **{key: OTHERS[key]}))
    assert getattr(own, key) == OTHERS[key]
    if key != "zero_hpz_partition_size" or own.stage == 3:
        check(own, 24)
    if key != "stage":
        assert own == replace(usual, **{key: OTHERS[key]})
    one, other = (config_of(each, trained=10**10, on_device=True) for each in (usual, own))
    unlike = getattr(usual, key) != OTHERS[key] and key not in ("num_processes", "allgather_bucket_size" if usual.stage == 3 else "")
    if usual.stage == 3 or not key.startswith(("stage3", "sub_group", "zero_hpz")):
        assert (one != other) == unlike


def test_every_setting_that_a_preset_may_set_is_tried_above():
    assert {one.name for one in fields(ZeroSettings)} - {*OTHERS} == {"preset", "nvme_path", "config", "backend", "timeout"}


def test_what_is_for_stage_3_alone_does_not_stand_in_the_way_of_another_stage():
    settings = ZeroSettings(preset="one-24gb-card", stage=2)
    assert effective(settings).offload_param == "none"
    assert effective(settings).offload_optimizer == "cpu"
    told = dict(decisions(settings))
    assert told["stage: 2"] == "as you say; the preset's is 3"
    assert told["offload_param is left out"] == "the preset's cpu is for stage 3, and the stage is 2"


def test_the_plan_says_the_preset_its_source_and_which_value_came_from_where(planned):
    step, told = planned("{preset: node-of-eight, reduce_bucket_size: 1000, sub_group_size: 500}")
    assert step.placement.processes == 8
    (reason,) = (reason for what, reason in told.items() if "preset `node-of-eight`" in what)
    assert "deepspeed.ai" in reason
    assert told["stage: 3"].startswith("the preset's: an eighth of everything")
    assert told["reduce_bucket_size: 1000"] == "as you say; the preset's is 500000000"
    assert told["sub_group_size: 500"] == "as you say; the preset says nothing of it"
    assert any("stage3_max_live_parameters" in what and reason.startswith("built in") for what, reason in told.items())


@pytest.mark.parametrize(("settings", "processes"), [("{}", 2), ("{num_processes: 4, preset: one-24gb-card}", 4), *(
    (f"{{preset: {name}}}", presets()[name].values["num_processes"]) for name in NAMES
)])  # fmt: skip
def test_a_preset_says_how_many_processes_the_step_gets_unless_you_do(planned, settings, processes):
    assert planned(settings)[0].placement.processes == processes


def test_a_preset_that_is_not_there_is_refused_by_the_plan_which_lists_those_that_are(planned):
    with pytest.raises(TunesmithError) as refused:
        planned("{preset: laptop}")
    (problem,) = refused.value.problems
    assert problem.code == "TS-SPEC-020"
    assert all(name in str(problem) for name in NAMES)
