"""The engine's own decoder computes what transformers' model does: hidden states, losses and gradients, family by family."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import torch
import transformers

from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.data.packing import pack
from tunesmith_torch.model.dense.config import NotDense, dense_spec
from tunesmith_torch.model.dense.loader import load_dense
from tunesmith_torch.model.loader import load_model
from tunesmith_torch.model.log_probs import label_log_probs
from tunesmith_torch.training.trainable_model import autocast, cast

_SPEC = importlib.util.spec_from_file_location("dense_families", Path(__file__).with_name("dense_families.py"))
families = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(families)
same, sequences = families.same, families.sequences


@pytest.fixture(params=families.MODELS)
def directory(request, tmp_path):
    return families.write(tmp_path / "model", request.param)


def _losses_and_gradients(model, settings: LoraSettings, compute: torch.dtype = torch.float32):
    adapter = Lora(settings)
    adapter.attach(model, seed=3)
    cast(model, compute)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".b"):
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))) * 0.05)
    batch = pack(sequences())
    with autocast(torch.device("cpu"), compute):
        values = label_log_probs(model.train(), batch)
    values.sum().backward()
    return values.detach(), {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("targets", [["all-linear"], ["o_proj", "lm_head"]])
def test_losses_and_gradients_are_those_of_the_reference(directory, targets):
    settings = LoraSettings(r=3, target_modules=targets)
    values, gradients = _losses_and_gradients(load_dense(directory), settings)
    expected, expected_gradients = _losses_and_gradients(load_model(directory), settings)
    assert (values - expected).abs().max() < 2e-4
    same(gradients, expected_gradients, 2e-4)


@pytest.fixture
def llama(tmp_path):
    torch.manual_seed(0)
    transformers.LlamaForCausalLM(transformers.LlamaConfig(**families.COMMON)).save_pretrained(tmp_path)
    return tmp_path


def test_in_bfloat16_it_is_as_near_as_the_reference_is(llama):
    settings = LoraSettings(r=3)
    exact, exact_gradients = _losses_and_gradients(load_model(llama), settings)
    ours, our_gradients = _losses_and_gradients(load_dense(llama), settings, torch.bfloat16)
    theirs, their_gradients = _losses_and_gradients(load_model(llama), settings, torch.bfloat16)
    assert (ours - exact).abs().mean() <= 1.5 * (theirs - exact).abs().mean()
    distances = [sum(float((g[name] - exact_gradients[name]).norm()) for name in g) for g in (our_gradients, their_gradients)]
    assert distances[0] <= 1.5 * distances[1]


@pytest.mark.parametrize("settings", [{"lora_dropout": 0.5}, {"target_modules": ["k_proj", "up_proj"]}, {"init_lora_weights": "pissa"}])
def test_what_can_not_be_joined_is_computed_all_thesame(llama, settings):
    found = []
    for load in (load_dense, load_model):
        torch.manual_seed(7)  # for dropout
        found.append(_losses_and_gradients(load(llama), LoraSettings(r=2, **settings)))
    if "lora_dropout" not in settings:  # drawn in another order
        assert (found[0][0] - found[1][0]).abs().max() < 2e-4
        same(found[0][1], found[1][1], 2e-4)
    assert all(gradient.abs().sum() > 0 for gradient in found[0][1].values())


@pytest.mark.parametrize("load", [load_dense, load_model])
def test_a_model_whose_numbers_overflow_has_no_finite_gradient(llama, load):
    """A gradient of zero, from a norm without bounds, would leave a run that has diverged unnoticed."""
    model = load(llama).float().train().requires_grad_()
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(1e5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)).sign())
    label_log_probs(model, pack(sequences())).sum().backward()
    assert not all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)


def test_checkpointed_layers_give_the_same_gradients(llama):
    plain = _losses_and_gradients(load_dense(llama), LoraSettings(r=2))
    model = load_dense(llama)
    model.gradient_checkpointing_enable()
    values, gradients = _losses_and_gradients(model, LoraSettings(r=2))
    assert torch.equal(values, plain[0])
    same(gradients, plain[1], 1e-6)


def test_a_switched_off_update_leaves_the_base(llama):
    adapter, model = Lora(LoraSettings(r=2, init_lora_weights="pissa")), load_dense(llama)
    batch = pack(sequences())
    base = label_log_probs(model, batch)
    adapter.attach(model, seed=0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".b"):
                parameter.add_(1)
    assert not torch.allclose(label_log_probs(model, batch), base, atol=0.1)
    with adapter.reference(model):
        assert torch.equal(label_log_probs(model, batch), base)


def test_older_configurations_mean_thesame(llama):
    path = llama / "config.json"
    config = json.loads(path.read_text())
    newer = dense_spec({**config, "rope_parameters": families.LLAMA3})
    older = {key: value for key, value in families.LLAMA3.items() if key != "rope_theta"}
    del config["rope_parameters"]
    assert dense_spec({**config, "rope_theta": families.LLAMA3["rope_theta"], "rope_scaling": older}) == newer


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "mamba"}, "mamba is none of"),
        ({"hidden_act": "relu"}, "activation is relu"),
        ({"attention_dropout": 0.1}, "sets attention_dropout"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "scaled by yarn"),
        ({"quantization_config": {"bits": 4}}, "sets quantization_config"),
        ({"num_hidden_layers": 2}, "files hold model.layers.2"),
        ({"num_hidden_layers": 4}, "do not hold model.layers.3"),
        ({"intermediate_size": 88}, "mlp.down_proj.weight is"),
        ({"hidden_size": None}, "can't be read"),
    ],
)
def test_what_it_does_not_compute_it_leaves_with_a_reason(llama, changes, reason):
    path = llama / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(NotDense, match=reason):
        load_dense(llama)
