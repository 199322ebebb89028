"""What `auto` of the micro-batch and of gradient checkpointing comes to: the largest that fits with a margin, and why."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from tunesmith.contracts import Device, EstimateRequest
from tunesmith_sdk.testing.model_configs import llama
from tunesmith_torch.estimate.memory import train
from tunesmith_torch.estimate.micro_batch import SHARE
from tunesmith_torch.settings import AUTO, TrainSettings

CONFIG = llama(layers=24, hidden=1024, intermediate=3072, heads=16, kv_heads=4, vocabulary=32000, positions=4096)
MICRO, CHECKPOINTING = "max_tokens_per_microbatch", "gradient_checkpointing"


def request(gigabytes=0.0, device="cuda", config=CONFIG, adapter=None, processes=1, **settings):
    values = asdict(TrainSettings(dtype="float32", batch_size=64)) | {MICRO: AUTO, CHECKPOINTING: AUTO} | settings
    devices = (Device("a card", int(gigabytes * 1e9), int(1e9), 1),) if gigabytes else ()
    return EstimateRequest(
        config, step_settings=values, parts={"adapter": {"trainable": 2e6, **(adapter or {})}, "objective": {}}, device=device,
        data={"rows": 1000, "characters": 2_000_000}, devices=devices, processes=processes,
    )  # fmt: skip


def taken(*asked, **more):
    return train(request(*asked, **more)).settings


def test_the_micro_batch_is_the_largest_that_fits_with_a_margin_and_the_estimate_is_of_that():
    for gigabytes in (6, 8, 12, 24, 80):
        asked = request(gigabytes)
        found = train(asked)
        given = replace(asked, step_settings={**asked.step_settings, **found.settings})
        assert found.memory == train(given).memory <= SHARE * gigabytes * 1e9
        twice = {**given.step_settings, MICRO: 2 * found.settings[MICRO]}
        most = found.settings[MICRO] == 2**16 or train(replace(asked, step_settings=twice)).memory > SHARE * gigabytes * 1e9
        assert most, gigabytes
        assert not train(given).settings
    assert taken(8)[MICRO] < taken(24)[MICRO] < taken(80)[MICRO]


def test_activations_are_computed_twice_only_where_no_useful_micro_batch_fits():
    kinds = [(size / 10, taken(size / 10)) for size in range(25, 100, 5)]
    twice = [size for size, settings in kinds if settings[CHECKPOINTING]]
    kept = [size for size, settings in kinds if not settings[CHECKPOINTING]]
    assert twice
    assert max(twice) < min(kept)
    assert all(settings[MICRO] >= 512 for _, settings in kinds if not settings[CHECKPOINTING])
    what, why = train(request(min(twice) + 0.5)).decisions[-1]
    assert "gradient_checkpointing: true" in what
    assert "same loss" in why


def test_what_the_user_gave_is_obeyed_and_the_other_chosen():
    assert taken(3, gradient_checkpointing=False) == {MICRO: taken(3, gradient_checkpointing=False)[MICRO]}
    assert taken(24, max_tokens_per_microbatch=3000) == {CHECKPOINTING: False}
    assert taken(24, max_tokens_per_microbatch=3000, gradient_checkpointing=True) == {}


def test_a_processor_gains_nothing_from_more_and_leaves_the_memory_to_others():
    assert taken(200, device="cpu") == {MICRO: 4096, CHECKPOINTING: False}
    assert taken(3, device="cpu")[MICRO] < 4096


def test_processes_that_share_a_device_share_its_memory():
    assert taken(12, device="cpu", processes=4) == taken(3, device="cpu") != taken(12, device="cpu")


def test_an_adapter_that_needs_what_was_kept_is_never_given_checkpointing():
    assert taken(2.5)[CHECKPOINTING] is True
    assert taken(2.5, adapter={"keeps_activations": 1.0})[CHECKPOINTING] is False


@pytest.mark.parametrize("asked", [{"config": {}, "gigabytes": 24}, {"gigabytes": 0}], ids=["model", "device"])
def test_what_is_not_known_is_the_usual_and_the_plan_says_so(asked):
    found = train(request(**asked))
    assert found.settings == {MICRO: 4096, CHECKPOINTING: False}
    assert "not known" in found.decisions[-1][1] or "nothing is known" in found.decisions[-1][1]


def test_a_step_that_was_planned_without_an_estimate_finds_numbers():
    assert (TrainSettings().max_tokens_per_microbatch, TrainSettings().gradient_checkpointing) == (4096, False)
    assert TrainSettings(max_tokens_per_microbatch=7).max_tokens_per_microbatch == 7
