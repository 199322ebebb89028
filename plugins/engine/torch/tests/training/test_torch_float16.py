"""Training in float16: losses are scaled, batches whose gradients overflow are computed again, and what is learnt is float32's."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file

from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.model.dense.config import NotDense
from tunesmith_torch.training.loss.loss_scaler import FIRST, GROWTH_INTERVAL, LossScaler

SETTINGS = {"max_steps": 4, "batch_size": 4, "max_tokens_per_microbatch": 80, "learning_rate": 1e-2}


def test_the_scale_is_halved_by_an_overflow_down_to_one_and_doubled_after_many_steps():
    scaler = LossScaler.of("float16")
    assert scaler.scale == FIRST
    while scaler.overflowed():
        assert scaler.steps == 0
    assert scaler.scale == 1
    scaler = LossScaler(8.0)
    for _ in range(GROWTH_INTERVAL):
        scaler.stepped()
    assert (scaler.scale, scaler.steps) == (16.0, 0)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_other_types_are_not_scaled(dtype):
    scaler = LossScaler.of(dtype)
    assert scaler.scale == 1
    assert not scaler.overflowed()


@pytest.mark.parametrize("adapter", [Lora(LoraSettings(r=4, lora_alpha=8.0)), Full(FullSettings())], ids=["lora", "full"])
@pytest.mark.parametrize("own", [True, False], ids=["the engine's decoder", "transformers' model"])
def test_it_learns_what_float32_learns(bench, chat_rows, adapter, own, monkeypatch):
    if not own:
        monkeypatch.setattr("tunesmith_torch.training.trainable_model.load_dense", refuse)
    found = {}
    for dtype in ("float32", "float16"):
        bench.notices.clear()
        bench.train(SETTINGS | {"dtype": dtype}, rows=chat_rows, adapter=adapter, name=dtype)
        found[dtype] = bench.series("loss"), bench.series("grad_norm")
    assert found["float16"][0] == pytest.approx(found["float32"][0], rel=5e-3)
    assert found["float16"][1] == pytest.approx(found["float32"][1], rel=3e-2)
    assert found["float16"] != found["float32"]


def test_a_batch_whose_gradients_overflow_is_computed_again_with_half_the_scale_also_after_a_resume(bench, chat_rows, monkeypatch):
    monkeypatch.setattr("tunesmith_torch.training.loss.loss_scaler.FIRST", 2.0**40)
    settings = SETTINGS | {"dtype": "float16", "save_steps": 2}
    whole, _ = bench.train(settings, rows=chat_rows, adapter=Full(FullSettings()), name="whole")
    again = [p["message"] for method, p in bench.notices if method == "$/log" and "overflowed" in p["message"]]
    assert len(again) > 10
    assert len(bench.series("loss")) == 4
    bench.train(settings | {"max_steps": 2}, rows=chat_rows, adapter=Full(FullSettings()), name="half")
    bench.notices.clear()
    resumed, _ = bench.train(settings, rows=chat_rows, adapter=Full(FullSettings()), name="half")
    assert not [p for method, p in bench.notices if method == "$/log" and "overflowed" in p["message"]]
    assert json.dumps({name: value.tolist() for name, value in load_file(resumed / "model.safetensors").items()}) == json.dumps(
        {name: value.tolist() for name, value in load_file(whole / "model.safetensors").items()}
    )


def refuse(*_, **more):
    raise NotDense("another reason")
