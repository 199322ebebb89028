"""DeepSpeed's JSON and what is refused of it. That training learns what one process learns is shown in tests/strategies."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Placement, UserError
from tunesmith_deepspeed.config import LARGEST_BUCKET, check, check_said, config_of
from tunesmith_deepspeed.known_entries import unknown_entries
from tunesmith_deepspeed.presets import effective
from tunesmith_deepspeed.settings import ZeroSettings
from tunesmith_deepspeed.strategy import Zero


def json_of(trained: int = 1000, on_device: bool = True, **settings):
    return config_of(effective(ZeroSettings(**settings)), trained=trained, on_device=on_device)


@pytest.mark.parametrize(
    "config",
    [{"train_batch_size": 8}, {"gradient_accumulation_steps": 2}, {"gradient_clipping": 1.0}, {"optimizer": {"type": "Adam"}},
     {"scheduler": {}}, {"bf16": {"enabled": True}}, {"prescale_gradients": True}, {"zero_optimization": {"stage": 3}}],
    ids=lambda config: next(iter(config)),
)  # fmt: skip
def test_entries_that_are_decided_elsewhere_are_refused_by_name(config):
    with pytest.raises(UserError, match="TS-TRAIN-067") as told:
        check(effective(ZeroSettings(config=config)), 2)
    assert f"`{next(iter(config))}" in str(told.value)


@pytest.mark.parametrize(
    "settings",
    [{"stage": 2, "offload_param": "cpu"}, {"stage": 2, "offload_optimizer": "nvme", "nvme_path": "/disk"},
     {"stage": 1, "zero_hpz_partition_size": 2}, {"stage": 3, "offload_optimizer": "nvme"}],
    ids=lambda settings: "-".join(map(str, settings)),
)  # fmt: skip
def test_what_a_stage_has_not_is_refused(settings):
    with pytest.raises(UserError, match="TS-TRAIN-068"):
        check(effective(ZeroSettings(**settings)), 2)


@pytest.mark.parametrize(
    ("stage", "name"), [(1, "stage3_prefetch_bucket_size"), (2, "sub_group_size"), (None, "stage3_max_live_parameters"),
                        (3, "allgather_bucket_size")],
)  # fmt: skip
def test_what_would_have_no_effect_is_refused_by_name(stage, name):
    said = ZeroSettings(stage=stage, **{name: 1000})
    with pytest.raises(UserError, match=f"TS-TRAIN-068: .*`{name}` would have no effect"):
        check_said(said, effective(said).stage)


def test_what_a_preset_says_of_another_stage_is_nobodys_mistake():
    said = ZeroSettings(preset="several-nodes", stage=2)
    check_said(said, effective(said).stage)


def test_all_that_goes_together_is_taken():
    for settings in (
        ZeroSettings(stage=3, offload_optimizer="nvme", offload_param="cpu", nvme_path="/disk", zero_hpz_partition_size=2),
        ZeroSettings(stage=1, offload_optimizer="cpu", config={"zero_optimization": {"round_robin_gradients": True}}),
    ):
        check(effective(settings), 2)


def test_the_users_entries_go_before_the_derived_ones_and_leave_the_others():
    made = json_of(
        stage=2, config={"zero_optimization": {"reduce_bucket_size": 7, "round_robin_gradients": True}, "wall_clock_breakdown": True}
    )
    assert made["zero_optimization"] == {
        "stage": 2, "reduce_bucket_size": 7, "round_robin_gradients": True, "allgather_bucket_size": 500_000_000,
    }  # fmt: skip
    assert made["wall_clock_breakdown"] is True
    assert made["zero_force_ds_cpu_optimizer"] is False


@pytest.mark.parametrize(("trained", "given", "size"), [(1000, 0, 1000), (10**10, 0, LARGEST_BUCKET), (1000, 50, 50)])
def test_a_bucket_is_no_larger_than_what_trains(trained, given, size):
    assert json_of(trained, reduce_bucket_size=given)["zero_optimization"]["reduce_bucket_size"] == size


def test_memory_is_pinned_for_a_device_alone():
    settings = {"stage": 3, "offload_optimizer": "nvme", "offload_param": "cpu", "nvme_path": "/disk"}
    for on_device in (True, False):
        zero = json_of(on_device=on_device, **settings)["zero_optimization"]
        assert zero["offload_optimizer"] == {"device": "nvme", "nvme_path": "/disk", "pin_memory": on_device}
        assert zero["offload_param"] == {"device": "cpu", "nvme_path": "/disk", "pin_memory": on_device}
        assert json_of(on_device=on_device, offload_optimizer="cpu")["zero_optimization"]["offload_optimizer"] == {
            "device": "cpu", "pin_memory": on_device,
        }  # fmt: skip


def test_settings_of_another_stage_are_not_in_the_json():
    assert "sub_group_size" not in json_of(stage=2)["zero_optimization"]
    assert "allgather_bucket_size" not in json_of(stage=3)["zero_optimization"]


def test_groups_that_do_not_divide_the_processes_are_refused():
    with pytest.raises(UserError, match="TS-TRAIN-064"):
        Zero(ZeroSettings(stage=3, zero_hpz_partition_size=4)).start(Placement(processes=6))


def test_what_cannot_be_is_refused_before_the_processes_meet():
    with pytest.raises(UserError, match="TS-TRAIN-068"):
        Zero(ZeroSettings(stage=2, offload_param="cpu")).start(Placement())


def test_entries_that_deepspeed_does_not_know_are_told_of():
    assert not list(unknown_entries({"wall_clock_breakdown": True, "zero_optimization": {"round_robin_gradients": True}}))
    first, second = unknown_entries({"wall_clock_breakdwn": True, "zero_optimization": {"no_such": 1}})
    assert "knows no entry `wall_clock_breakdwn`" in first
    assert "did you mean `wall_clock_breakdown`?" in first
    assert "`zero_optimization.no_such`" in second
