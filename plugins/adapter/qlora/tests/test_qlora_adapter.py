"""QLoRA: a base in 4 bits that gives right gradients, also after an evaluation, and merges as it says."""

from __future__ import annotations

import json

import bitsandbytes
import pytest
import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_lora.adapter import Lora, adapted, adapted_experts
from tunesmith_models import ModelShape
from tunesmith_qlora import quantized_base
from tunesmith_qlora.adapter import Qlora
from tunesmith_qlora.estimate import parts
from tunesmith_qlora.settings import QloraSettings
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api.model import load_model

CPU = torch.device("cpu")
TOKENS = torch.randint(3, 300, (2, 16), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("qlora"), initializer_range=0.2)


@pytest.fixture(scope="module")
def tied(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tied"), tie_word_embeddings=True, initializer_range=0.2)


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A base in bfloat16, as most are."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path_factory.mktemp("exact"), initializer_range=0.2), dtype=torch.bfloat16)
    model.save_pretrained(path := tmp_path_factory.mktemp("half"))
    return path


@pytest.fixture(scope="module")
def stored(directory, tmp_path_factory):
    """The same base as bitsandbytes writes it."""
    settings = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)
    model = AutoModelForCausalLM.from_pretrained(directory, quantization_config=settings, device_map={"": "cpu"})
    model.save_pretrained(path := tmp_path_factory.mktemp("stored"))
    return path


def made(directory, **changes):
    adapter = Qlora(QloraSettings(**({"r": 4, "lora_alpha": 12.0} | changes)))
    return adapter.load_base(directory, CPU), adapter


def attached(directory, **changes):
    model, adapter = made(directory, **changes)
    adapter.attach(model, seed=3)
    for number, (_, layer) in enumerate(adapted(model)):  # away from the start, where B is zero and A gets no gradient
        layer.b.data = 0.05 * torch.randn(layer.b.shape, generator=torch.Generator().manual_seed(number))
    return model, adapter


def logits(model):
    with torch.no_grad():
        return model.eval()(TOKENS).logits.float()


def losses_and_gradients(model, parameters, *, evaluated_after=None, steps=4):
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    losses, gradients = [], []
    for number in range(steps):
        model.train()
        optimizer.zero_grad()
        loss = model(TOKENS, labels=TOKENS).loss
        loss.backward()
        losses.append(loss.item())
        gradients.append([p.grad.clone() for p in parameters])
        optimizer.step()
        if number == evaluated_after:
            logits(model)
    return losses, gradients


def training(model):
    return [parameter for _, layer in adapted(model) for parameter in (layer.a, layer.b)]


@pytest.mark.parametrize("base_in", ["directory", "half", "stored"])
def test_an_evaluation_in_mid_training_changes_no_loss_and_no_gradient(request, base_in):
    runs = []
    for evaluated_after in (None, 1):
        model, _ = attached(request.getfixturevalue(base_in))
        runs.append(losses_and_gradients(model, training(model), evaluated_after=evaluated_after))
    assert runs[0][0] == runs[1][0]
    torch.testing.assert_close(runs[1][1], runs[0][1], rtol=0, atol=0)
    assert runs[0][0][-1] < runs[0][0][0]


@pytest.mark.parametrize(("type", "double_quant"), [("nf4", True), ("fp4", False)])
def test_losses_and_gradients_are_pefts_on_the_same_base(directory, type, double_quant):
    from peft import LoraConfig, get_peft_model

    settings = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=type, bnb_4bit_use_double_quant=double_quant)
    theirs = AutoModelForCausalLM.from_pretrained(directory, quantization_config=settings, device_map={"": "cpu"})
    for layer in quantized_base.quantized(theirs).values():
        layer.support_avx512bf16_for_cpu = False
    theirs = get_peft_model(theirs, LoraConfig(r=4, lora_alpha=12, target_modules="all-linear", task_type="CAUSAL_LM"))
    ours, _ = attached(directory, bnb_4bit_quant_type=type, bnb_4bit_use_double_quant=double_quant)
    named, wanted = dict(theirs.named_parameters()), []
    for name, layer in adapted(ours):
        for letter, value in (("A", layer.a), ("B", layer.b)):
            parameter = named[f"base_model.model.{name}.lora_{letter}.default.weight"]
            parameter.data = value.detach().clone()
            wanted.append(parameter)
    expected = losses_and_gradients(theirs, wanted)
    got = losses_and_gradients(ours, training(ours), evaluated_after=0)
    assert got[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(got[1], expected[1], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("base_in", ["directory", "half"])
def test_gradients_are_those_of_the_dequantized_base(request, base_in):
    path = request.getfixturevalue(base_in)
    quantized, _ = attached(path)
    plain, adapter = made(path)
    plain = quantized_base.plain(plain)
    Lora(adapter.settings).attach(plain, seed=3)
    for (_, one), (_, other) in zip(adapted(plain), adapted(quantized), strict=True):
        one.b.data = other.b.data.clone()
    for model in (quantized, plain):  # as the engine does: in float32 all that is no 4-bit weight
        for parameter in model.parameters():
            if parameter.is_floating_point():
                parameter.data = parameter.data.float()
    expected = losses_and_gradients(plain, training(plain), steps=2)
    got = losses_and_gradients(quantized, training(quantized), steps=2)
    assert got[0] == pytest.approx(expected[0], rel=1e-5)
    torch.testing.assert_close(got[1], expected[1], rtol=1e-3, atol=1e-5)


def test_matrices_of_the_layers_are_in_4_bits_and_nothing_of_the_base_trains(directory):
    model, adapter = made(directory)
    assert len(quantized_base.quantized(model)) == 14
    adapter.attach(model, seed=0)
    assert {name.rsplit(".", 1)[1] for name, p in model.named_parameters() if p.requires_grad} == {"a", "b"}


def test_a_stored_base_is_the_same_as_one_quantized_when_loaded(directory, stored):
    assert torch.equal(logits(made(directory)[0]), logits(made(stored)[0]))


@pytest.mark.parametrize("base_in", ["directory", "tied"])
@pytest.mark.parametrize("targets", [["all-linear"], ["q_proj"], ["lm_head", "v_proj"]], ids=str)
def test_merged_it_answers_as_it_was_trained(request, tmp_path, targets, base_in):
    model, adapter = attached(request.getfixturevalue(base_in), target_modules=targets)
    wanted = logits(model)
    merged = adapter.merge(model)
    torch.testing.assert_close(logits(merged), wanted, rtol=1e-4, atol=2e-5)
    assert not any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in merged.modules())
    merged.to(torch.float32).save_pretrained(tmp_path)
    assert "quantization_config" not in json.loads((tmp_path / "config.json").read_text())
    torch.testing.assert_close(logits(AutoModelForCausalLM.from_pretrained(tmp_path)), wanted, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("base_in", ["directory", "tied"])
def test_merged_into_full_weights_it_is_the_plain_lora_on_the_plain_base(request, tmp_path, base_in):
    model, adapter = attached(request.getfixturevalue(base_in), merge_into="full", target_modules=["q_proj", "lm_head"])
    adapter.save(model, tmp_path)
    wanted = AutoModelForCausalLM.from_pretrained(request.getfixturevalue(base_in))
    plain = Lora(adapter.settings)
    plain.load(wanted, tmp_path)
    torch.testing.assert_close(logits(adapter.merge(model)), logits(plain.merge(wanted)), rtol=1e-4, atol=2e-5)


OTHERS = {
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64},
}


@pytest.mark.parametrize("merge_into", ["dequantized", "full"])
@pytest.mark.parametrize("family", OTHERS)
def test_layers_kept_the_other_way_round_and_experts_merge_and_load(tmp_path, family, merge_into):
    directory = tiny_model(tmp_path / "base", family=family, initializer_range=0.2, **OTHERS[family])
    model, adapter = attached(directory, merge_into=merge_into)
    for _, experts in adapted_experts(model):
        for b in experts.b.values():
            b.data = 0.05 * torch.randn(b.shape, generator=torch.Generator().manual_seed(1))
    adapter.save(model, tmp_path)
    wanted = logits(model)
    if merge_into == "full":
        full, plain = load_model(directory), Lora(adapter.settings)
        plain.load(full, tmp_path)
        wanted = logits(full)
    merged = adapter.merge(model).to(torch.float32)
    torch.testing.assert_close(logits(merged), wanted, rtol=1e-3, atol=1e-4)
    merged.save_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(load_model(tmp_path / "merged")), wanted, rtol=1e-3, atol=1e-4)


def test_a_base_stored_in_4_bits_has_no_full_weights_to_merge_into(stored):
    model, adapter = attached(stored, merge_into="full")
    with pytest.raises(UserError, match="TS-TRAIN-041"):
        adapter.merge(model)


def test_a_base_in_8_bits_is_refused(directory, tmp_path):
    settings = BitsAndBytesConfig(load_in_8bit=True)
    model = AutoModelForCausalLM.from_pretrained(directory, quantization_config=settings, device_map={"": "cpu"})
    model.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="TS-TRAIN-040") as raised:
        made(tmp_path)
    assert "8 bits" in raised.value.why


def test_it_saves_a_plain_lora_that_peft_loads(directory, tmp_path):
    from peft import PeftModel

    model, adapter = attached(directory)
    adapter.save(model, tmp_path)
    theirs = PeftModel.from_pretrained(made(directory)[0], tmp_path)
    torch.testing.assert_close(logits(theirs), logits(model), rtol=1e-4, atol=2e-5)


def test_pissa_starts_from_the_weights_that_are_computed_with(directory):
    model, adapter = made(directory, init_lora_weights="pissa")
    before = logits(model)
    matrix = quantized_base.dequantized(model.model.layers[0].mlp.up_proj)
    adapter.attach(model, seed=0)
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-4)
    layer = model.model.layers[0].mlp.up_proj
    _, s, _ = torch.linalg.svd(matrix, full_matrices=False)
    left = torch.linalg.matrix_norm(matrix - 3.0 * layer.b @ layer.a).item()
    assert left == pytest.approx(float(s[4:].square().sum().sqrt()), rel=1e-2)


@pytest.mark.parametrize("double_quant", [True, False])
def test_the_estimate_knows_what_the_base_takes(directory, double_quant):
    model, adapter = made(directory, bnb_4bit_use_double_quant=double_quant)
    layers = quantized_base.quantized(model).values()
    states = [layer.weight.quant_state for layer in layers]
    taken = sum(layer.weight.numel() for layer in layers) + sum(s.absmax.numel() * s.absmax.element_size() for s in states)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    said = parts(
        EstimateRequest(shape.config, settings={"r": 4, "target_modules": ["all-linear"], "bnb_4bit_use_double_quant": double_quant})
    )
    assert said["quantized_bytes"] == pytest.approx(taken, rel=0.02)
    adapter.attach(model, seed=0)
    assert said["trainable"] == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert said["quantized"] == sum(layer.in_features * layer.out_features for layer in layers)
