"""The verb `merge`: a plain model that answers as base and adapter did together."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tunesmith.contracts import Artifact, TunesmithError
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api.text import ChatTokenizer, load_tokenizer
from tunesmith_torch.merge import LOST, run
from tunesmith_torch.settings import MergeSettings

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101]])


def merged(bench, adapter_files, base=None, **settings):
    refs = {"base": bench.base} if base is None else base
    output = bench.home / f"merged{len(settings)}"
    output.mkdir()
    step = WorkerStep(
        name="merge", output=output, work=bench.home, settings=build(MergeSettings, settings),
        inputs={"model": Artifact("adapter/peft", adapter_files, refs=refs)}, providers={"adapter": Lora(LoraSettings())},
    )  # fmt: skip
    return output, run(step)


def logits(path, dtype=torch.float32):
    with torch.no_grad():
        return AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()(TOKENS).logits


@pytest.fixture
def trained(bench, chat_rows):
    output, _ = bench.train({"num_train_epochs": 4, "learning_rate": 5e-2}, rows=chat_rows)
    return output


def test_merged_answers_as_base_with_adapter(bench, trained):
    output, result = merged(bench, trained)
    model, adapter = AutoModelForCausalLM.from_pretrained(bench.base.path).eval(), Lora(LoraSettings())
    adapter.load(model, trained)
    with torch.no_grad():
        torch.testing.assert_close(logits(output), model(TOKENS).logits, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(output), logits(bench.base.path), atol=1e-2)
    assert result.refs == {}


def test_a_merged_model_has_its_tokenizer_and_template(bench, trained):
    output, _ = merged(bench, trained)
    ours, theirs = (ChatTokenizer(load_tokenizer(path)) for path in (output, bench.base.path))
    row = [message("user", "Hi"), message("assistant", "Ho")]
    assert ours.encode(row) == theirs.encode(row)


def test_merging_twice_gives_equal_bytes_without_paths(bench, trained):
    first, second = merged(bench, trained)[0], merged(bench, trained, dtype="auto")[0]
    files = {path.name: path.read_bytes() for path in first.iterdir()}
    assert files == {path.name: path.read_bytes() for path in second.iterdir()}
    assert not any(str(bench.base.path).encode() in data for data in files.values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_type_stored_is_the_one_asked_for(bench, trained, dtype):
    output, result = merged(bench, trained, dtype=dtype)
    model = AutoModelForCausalLM.from_pretrained(output)
    assert model.dtype == getattr(torch, dtype)
    assert result.meta["dtype"] == dtype


def test_a_bfloat16_base_stays_bfloat16_and_is_rounded_once(bench, trained, tmp_path):
    base = tmp_path / "half"
    AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "m"), dtype=torch.bfloat16).save_pretrained(base)
    output, _ = merged(bench, trained, base={"base": Artifact("model/hf", base)})
    exact = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapter = Lora(LoraSettings())
    adapter.load(exact, trained)
    wanted = adapter.merge(exact).to(torch.bfloat16).state_dict()
    stored = AutoModelForCausalLM.from_pretrained(output).state_dict()
    assert all(torch.equal(stored[name], value) for name, value in wanted.items())


def test_an_adapter_without_a_base_says_so(bench, trained):
    with pytest.raises(TunesmithError, match="TS-TRAIN-007"):
        merged(bench, trained, base={})


def test_what_rounding_does_to_the_update_is_told_and_nothing_where_nothing_is_rounded(bench, trained, monkeypatch):
    monkeypatch.setattr("tunesmith_torch.merge.PIECE", 1000)  # fewer than a matrix has, and no divisor
    (exact, none), (half, told) = merged(bench, trained), merged(bench, trained, dtype="bfloat16")
    before, whole, after = (load_file(path / "model.safetensors") for path in (bench.base.path, exact, half))
    changed = [name for name in whole if not torch.equal(whole[name], before[name])]
    update, error = (
        sum(float((one[name].float() - other[name]).double().square().sum()) for name in changed) ** 0.5
        for one, other in ((whole, before), (after, whole))
    )
    assert none.meta["rounding"] == 0
    assert told.meta["rounding"] == pytest.approx(error / update, rel=1e-3)
    assert told.meta["rounding"] > 0


def test_a_merge_that_loses_much_of_the_update_by_rounding_warns(bench, trained, monkeypatch):
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(WorkerStep, "log", lambda self, message, level="info": said.append((level, message)))
    monkeypatch.setattr("tunesmith_torch.merge.rounding", lambda *_: LOST * 0.9)
    merged(bench, trained)
    assert not said
    monkeypatch.setattr("tunesmith_torch.merge.rounding", lambda *_: 0.945)
    merged(bench, trained, dtype="bfloat16")
    ((level, message),) = said
    assert level == "warning"
    assert "loses 94.5% of the update by rounding" in message
