"""Whatever keeps to modules trains in the engine's own decoder as in transformers' model: losses and gradients, family by family."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from tunesmith_dora.adapter import Dora
from tunesmith_dora.settings import DoraSettings
from tunesmith_freeze.adapter import Freeze
from tunesmith_freeze.settings import FreezeSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_qlora.adapter import Qlora
from tunesmith_qlora.settings import QloraSettings
from tunesmith_torch.data.packing import Wanted, pack
from tunesmith_torch.model import head_log_probs
from tunesmith_torch.model.architecture import architecture, states
from tunesmith_torch.model.dense import files
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.model.loader import load_base
from tunesmith_torch.model.log_probs import label_log_probs, label_outputs
from tunesmith_torch.training.trainable_model import autocast, cast

_SPEC = importlib.util.spec_from_file_location("dense_families", Path(__file__).with_name("dense_families.py"))
families = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(families)
same, sequences = families.same, families.sequences

ADAPTERS = {
    "full": lambda: Full(FullSettings()),
    "freeze": lambda: Freeze(FreezeSettings(trainable_layers=1, trainable_modules=["layers.0.self_attn"])),
    "freeze, with the embedding": lambda: Freeze(
        FreezeSettings(trainable_layers=0, train_embeddings=True, trainable_modules=["down_proj"])
    ),
    "qlora": lambda: Qlora(QloraSettings(r=3)),
    "dora": lambda: Dora(DoraSettings(r=3)),
}
FAMILIES = ("llama tied, biased, with scaled positions", "mistral in a window", "qwen2", "qwen3", "phi3", "gemma2")


@pytest.fixture(params=FAMILIES)
def directory(request, tmp_path):
    return families.write(tmp_path / "model", request.param)


@pytest.fixture
def llama(tmp_path):
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(**families.COMMON)).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def trained(directory, adapter, own: bool, compute: torch.dtype = torch.float32):
    """Log-probabilities and gradients, in the one model or the other."""
    if own:
        model = load_dense(directory, converted=getattr(adapter, "converted", None))
    else:
        model = load_base(directory, adapter)
    adapter.attach(model, seed=3)
    cast(model, compute)
    parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))) * 0.05)
    with autocast(torch.device("cpu"), compute):
        values = label_log_probs(model.train(), pack(sequences()), rows=16)
    (values * torch.linspace(0.5, 2, len(values))).sum().backward()
    return values.detach(), {name: parameter.grad for name, parameter in parameters.items()}


@pytest.mark.parametrize("name", ADAPTERS)
def test_losses_and_gradients_are_those_of_the_reference(directory, name):
    values, gradients = trained(directory, ADAPTERS[name](), True)
    expected, expected_gradients = trained(directory, ADAPTERS[name](), False)
    assert (values - expected).abs().max() < 2e-4
    same(gradients, expected_gradients, 2e-4)


@pytest.mark.parametrize("name", ["full", "freeze", "qlora"])
def test_in_bfloat16_it_is_as_near_as_the_reference_is(llama, name):
    exact, exact_gradients = trained(llama, ADAPTERS[name](), False)
    distances = []
    for own in (True, False):
        values, gradients = trained(llama, ADAPTERS[name](), own, torch.bfloat16)
        apart = sum(float((gradients[key] - exact_gradients[key]).norm()) for key in gradients)
        distances.append((float((values - exact).abs().mean()), apart))
    assert all(ours <= 1.5 * theirs for ours, theirs in zip(*distances, strict=True))


@pytest.mark.parametrize("kept", [0, 2 * 16 * 101 * 4, 2**20], ids=["nothing kept", "some", "all"])
def test_what_a_trained_head_keeps_changes_no_gradient(llama, monkeypatch, kept):
    expected = trained(llama, ADAPTERS["full"](), False)
    monkeypatch.setattr(head_log_probs, "KEPT_BYTES", kept)
    values, gradients = trained(llama, ADAPTERS["full"](), True)
    assert (values - expected[0]).abs().max() < 2e-4
    same(gradients, expected[1], 2e-4)


@pytest.mark.parametrize("name", ["gemma2", "llama"])
def test_a_head_that_trains_measures_what_a_frozen_one_does(tmp_path, name):
    directory = families.write(tmp_path, name)
    found = []
    for trains in (True, False):
        model = load_dense(directory).requires_grad_(trains)
        batch = pack(sequences(), wanted=Wanted(entropy="value", log_sum_sq=True))
        known = architecture(model)
        given = label_outputs(model, states(model, batch, known), batch, known, rows=16)
        found.append({key: value.detach() for key, value in given.items()})
    assert found[0].keys() == found[1].keys()
    assert len(found[0]) == 3
    for key, value in found[0].items():
        torch.testing.assert_close(value, found[1][key])


@pytest.mark.parametrize("shard", [files.SHARD, 20_000], ids=["one file", "several"])
def test_what_full_saves_of_it_is_a_model_of_transformers(llama, tmp_path, monkeypatch, shard):
    monkeypatch.setattr(files, "SHARD", shard)
    adapter, model = Full(FullSettings(save_dtype="float32")), load_dense(llama)
    adapter.attach(model, seed=0)
    with torch.no_grad():
        label_log_probs(model, pack(sequences()))  # matrices that read the same input lie together from now on
        for parameter in model.parameters():
            parameter.mul_(1.1)
    adapter.save(model, tmp_path / "saved")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert (len(list((tmp_path / "saved").glob("*.safetensors"))) == 1) == (shard > 20_000)
    tokens = torch.arange(3, 15).reshape(2, 6)
    with torch.no_grad():
        torch.testing.assert_close(model(tokens).logits, again(tokens).logits, rtol=1e-4, atol=1e-4)
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["dtype"] == "float32"


def test_a_head_that_is_the_embedding_is_saved_once(tmp_path):
    model = load_dense(families.write(tmp_path / "model", "llama tied, biased, with scaled positions"))
    Full(FullSettings()).save(model, tmp_path / "saved")
    with safe_open(tmp_path / "saved" / files.SINGLE, "pt") as tensors:
        assert "lm_head.weight" not in set(tensors.keys())
        assert "model.embed_tokens.weight" in set(tensors.keys())


def test_full_gives_back_the_model_from_before_training(llama):
    adapter, model = Full(FullSettings()), load_dense(llama)
    batch = pack(sequences())
    before = label_log_probs(model, batch)
    adapter.attach(model, seed=0, reference=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
        assert not torch.allclose(label_log_probs(model, batch), before, atol=1e-3)
        with adapter.reference(model) as reference:
            assert torch.equal(label_log_probs(reference, batch), before)
