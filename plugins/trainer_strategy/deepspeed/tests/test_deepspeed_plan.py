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
     ("{preset: several-nodes, num_processes: 12}", "TS-TRAIN-064"), ("{config: {fp16: {}}}", "TS-TRAIN-067")],
    ids=["stage", "groups", "preset", "owned"],
)  # fmt: skip
def test_settings_that_cannot_be_together_are_refused(planned, settings, code):
    with pytest.raises(TunesmithError) as refused:
        planned(settings)
    assert [problem.code for problem in refused.value.problems] == [code]
