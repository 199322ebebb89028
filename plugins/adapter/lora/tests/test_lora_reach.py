"""LoRA on matrices that no linear layer of torch's has: GPT-2's, and experts that share a parameter. PEFT is the oracle."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_lora.adapter import Lora, adapted, adapted_experts
from tunesmith_lora.estimate import parts
from tunesmith_lora.settings import LoraSettings
from tunesmith_models import ModelShape
from tunesmith_torch.api.model import load_model

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101, 3, 8]])
SIZES = {"vocab_size": 128, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
EXPERTS = SIZES | {"intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 8, "num_experts_per_tok": 2}
FAMILIES = {
    "gpt2": {"vocab_size": 128, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "qwen3_moe": EXPERTS | {"num_experts": 4, "moe_intermediate_size": 24},
    "mixtral": EXPERTS | {"num_local_experts": 4},
    # keeps each matrix as (in, out)
    "gpt_oss": EXPERTS | {"num_local_experts": 4, "layer_types": ["full_attention"] * 2, "max_position_embeddings": 64},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    made = {}

    def directory(family):
        from transformers import AutoConfig, AutoModelForCausalLM

        if family not in made:
            torch.manual_seed(0)
            model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **FAMILIES[family], initializer_range=0.2))
            for parameter in model.parameters():  # some families begin biases and sinks at random memory or zero
                torch.nn.init.normal_(parameter, std=0.2)
            made[family] = tmp_path_factory.mktemp(family)
            model.save_pretrained(made[family])
        return made[family]

    return directory


def moved(model):
    """What trains is no longer where it began."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.1 * torch.randn_like(parameter)
    return model


def adapter(**changes):
    return Lora(LoraSettings(**({"r": 4, "lora_alpha": 12.0} | changes)))


@torch.no_grad()
def logits(model):
    return model.eval()(input_ids=TOKENS).logits


@pytest.mark.parametrize("start", ["kaiming", "pissa"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_peft_loads_with_the_same_logits_and_merging_keeps_them(models, tmp_path, family, start):
    directory, lora = models(family), adapter(init_lora_weights=start)
    model = load_model(directory)
    before = logits(model)
    lora.attach(model, seed=3)
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-4 if start == "pissa" else 1e-6)
    wanted = logits(moved(model))
    assert (wanted - before).abs().max() > 0.01
    lora.save(model, tmp_path)
    torch.testing.assert_close(logits(PeftModel.from_pretrained(load_model(directory), tmp_path)), wanted, rtol=1e-4, atol=1e-4)
    again = load_model(directory)
    adapter().load(again, tmp_path)
    torch.testing.assert_close(logits(again), wanted, rtol=1e-4, atol=1e-4)
    merged = lora.merge(again)
    torch.testing.assert_close(logits(merged), wanted, rtol=1e-4, atol=1e-4)
    assert merged.state_dict().keys() == load_model(directory).state_dict().keys()
    merged.save_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(load_model(tmp_path / "merged")), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_update_learns_as_pefts_does(models, tmp_path, family):
    directory, lora = models(family), adapter()
    model = load_model(directory)
    lora.attach(model, seed=3)
    lora.save(moved(model), tmp_path)
    theirs = PeftModel.from_pretrained(load_model(directory), tmp_path, is_trainable=True)
    for one in (model, theirs):
        one.eval()(input_ids=TOKENS, labels=TOKENS).loss.backward()
    pairs = [(f"{name}.lora_A", module.a.grad) for name, module in adapted(model)]
    for owner, module in adapted_experts(model):
        for at, parameter in enumerate(module.a):
            place = owner + ".base_layer" * (len(module.a) - 1 - at)
            pairs += [
                (f"{place}.lora_A", module.a[parameter].grad.flatten(0, 1)),
                (f"{place}.lora_B", module.b[parameter].grad.permute(1, 2, 0).flatten(1)),
            ]
    for name, gradient in pairs:
        layer = theirs.get_submodule(f"base_model.model.{name}.default")
        torch.testing.assert_close(layer.weight.grad, gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", ["qwen3_moe", "gpt_oss"])
def test_what_peft_saves_is_loaded(models, tmp_path, family):
    directory = models(family)
    config = LoraConfig(r=3, lora_alpha=5, target_modules=["q_proj"], target_parameters=["experts.gate_up_proj", "experts.down_proj"])
    theirs = moved(get_peft_model(load_model(directory), config))
    theirs.save_pretrained(tmp_path)
    ours = load_model(directory)
    adapter().load(ours, tmp_path)
    torch.testing.assert_close(logits(ours), logits(theirs), rtol=1e-4, atol=1e-4)


def test_all_linear_reaches_every_matrix_of_the_decoder(models):
    gpt2, moe = load_model(models("gpt2")), load_model(models("qwen3_moe"))
    for model in (gpt2, moe):
        adapter().attach(model, seed=0)
    assert {name.rsplit(".", 1)[-1] for name, _ in adapted(gpt2)} == {"c_attn", "c_proj", "c_fc"}
    assert len(list(adapted(gpt2))) == 8
    assert {name: sorted(module.a) for name, module in adapted_experts(moe)} == {
        f"model.layers.{layer}.mlp.experts": ["down_proj", "gate_up_proj"] for layer in range(2)
    }


def test_experts_are_named_by_their_parameter(models):
    model = load_model(models("qwen3_moe"))
    adapter(target_modules=["q_proj", "layers.1.mlp.experts.down_proj"]).attach(model, seed=0)
    assert [sorted(module.a) for _, module in adapted_experts(model)] == [["down_proj"]]
    assert {name.rsplit(".", 1)[-1] for name, _ in adapted(model)} == {"q_proj"}


def test_switched_off_experts_are_the_bases(models):
    model, lora = load_model(models("qwen3_moe")), adapter()
    before = logits(model)
    lora.attach(model, seed=0)
    moved(model)
    with lora.reference(model) as reference:
        assert torch.equal(logits(reference), before)
    assert not torch.equal(logits(model), before)


def test_with_dropout_experts_are_left_out_or_refused(models):
    model = load_model(models("qwen3_moe"))
    adapter(lora_dropout=0.1).attach(model, seed=0)
    assert not list(adapted_experts(model))
    with pytest.raises(UserError, match="TS-TRAIN-016"):
        adapter(lora_dropout=0.1, target_modules=["experts.down_proj"]).attach(load_model(models("qwen3_moe")), seed=0)


def test_half_an_update_of_experts_is_refused(models, tmp_path):
    model, lora = load_model(models("qwen3_moe")), adapter()
    lora.attach(model, seed=0)
    lora.save(model, tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({name: value for name, value in weights.items() if "layers.1.mlp.experts.base_layer" not in name}, file)
    with pytest.raises(UserError, match="TS-TRAIN-011") as refused:
        adapter().load(load_model(models("qwen3_moe")), tmp_path)
    assert "layers.1.mlp.experts.gate_up_proj" in refused.value.why
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["target_parameters"]
    save_file({name: value for name, value in weights.items() if "lora_A" not in name}, file)
    with pytest.raises(UserError, match="TS-TRAIN-011"):
        adapter().load(copy.deepcopy(load_model(models("qwen3_moe"))), tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{}, {"lora_dropout": 0.1}, {"target_modules": ["experts.down_proj"]}, {"target_modules": ["q_proj", "experts.gate_up_proj"]}],
    ids=str,
)
@pytest.mark.parametrize("family", ["qwen3_moe", "mixtral"])
def test_the_estimate_counts_the_experts(models, family, changes):
    model, lora = load_model(models(family)), adapter(**changes)
    lora.attach(model, seed=0)
    shape = ModelShape.from_config(json.loads((models(family) / "config.json").read_text()))
    wanted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert parts(EstimateRequest(shape.config, settings=asdict(lora.settings)))["trainable"] == wanted
