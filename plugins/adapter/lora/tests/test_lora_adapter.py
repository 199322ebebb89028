"""LoRA: what it changes, what it keeps, and PEFT's files both ways."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_lora.adapter import Lora
from tunesmith_lora.estimate import parts
from tunesmith_lora.settings import LoraSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.tiny_models import tiny_model

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101]])


@pytest.fixture(scope="module", params=[False, True], ids=["untied", "tied"])
def directory(request, tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("lora"), tie_word_embeddings=request.param, initializer_range=0.2)


def load(directory):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(directory).eval()


VARIANTS = [{}, {"init_lora_weights": "pissa"}, {"use_rslora": True}, {"init_lora_weights": "pissa", "use_rslora": True, "r": 24}]


def trained(directory, **changes):
    """A model with an adapter that is no longer at its start."""
    model, adapter = load(directory), Lora(LoraSettings(**({"r": 4, "lora_alpha": 12.0} | changes)))
    adapter.attach(model, seed=3)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn_like(parameter)
    return model, adapter


def logits(model):
    with torch.no_grad():
        return model(TOKENS).logits


@pytest.mark.parametrize(("changes", "tolerance"), [({}, 0.0), ({"init_lora_weights": "pissa"}, 1e-5)], ids=str)
def test_at_the_start_the_model_is_the_base(directory, changes, tolerance):
    model = load(directory)
    before = logits(model)
    Lora(LoraSettings(**changes)).attach(model, seed=0)
    torch.testing.assert_close(logits(model), before, rtol=tolerance, atol=tolerance)


def test_pissa_starts_in_the_largest_singular_directions_and_learns_as_the_authors_do(directory):
    model = load(directory)
    layer = model.model.layers[1].mlp.up_proj
    u, s, v = torch.linalg.svd(layer.weight.detach(), full_matrices=False)
    layer.weight.data = (u * s * 0.7 ** torch.arange(len(s))) @ v  # as trained matrices have, and random ones have not
    Lora(LoraSettings(r=4, lora_alpha=12.0, init_lora_weights="pissa")).attach(model, seed=3)
    ours = model.model.layers[1].mlp.up_proj
    u, s, v = torch.linalg.svd(layer.weight)
    principal = (u[:, :4] * s[:4]) @ v[:4]
    torch.testing.assert_close(3.0 * ours.b @ ours.a, principal, rtol=1e-3, atol=1e-4)
    # the authors' form: W - B A frozen, B A beside it
    x = torch.randn(5, layer.in_features, generator=torch.Generator().manual_seed(0))
    a, b = (t.detach().clone().requires_grad_() for t in (ours.a, ours.b))
    residual = layer.weight - 3.0 * b.detach() @ a.detach()
    theirs = x @ residual.t() + 3.0 * x @ a.t() @ b.t()
    torch.testing.assert_close(ours(x), theirs, rtol=1e-4, atol=1e-5)
    ours(x).square().sum().backward()
    theirs.square().sum().backward()
    torch.testing.assert_close((ours.a.grad, ours.b.grad), (a.grad, b.grad), rtol=1e-3, atol=1e-4)


def test_rank_stabilised_a_larger_rank_has_a_larger_scale(directory):
    model = load(directory)
    Lora(LoraSettings(r=16, lora_alpha=8.0, use_rslora=True)).attach(model, seed=0)
    assert model.model.layers[0].mlp.up_proj.scale == 2.0


def test_only_the_updates_train(directory):
    model, _ = trained(directory)
    training = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert training == {f"model.layers.{i}.{path}.{m}" for i in range(2) for path in LINEARS for m in "ab"}


LINEARS = [f"self_attn.{p}_proj" for p in "qkvo"] + [f"mlp.{p}_proj" for p in ("gate", "up", "down")]


def test_the_start_of_a_layer_depends_on_seed_and_name_alone(directory):
    def start(seed, targets):
        model = load(directory)
        Lora(LoraSettings(target_modules=targets)).attach(model, seed=seed)
        return model.model.layers[1].self_attn.v_proj.a

    torch.manual_seed(0)
    wide = start(3, ["all-linear"])
    torch.manual_seed(1)
    assert torch.equal(wide, start(3, ["v_proj"]))
    assert not torch.equal(wide, start(4, ["v_proj"]))


def test_reference_is_the_base_and_goes_away_again(directory):
    base = logits(load(directory))
    model, adapter = trained(directory)
    changed = logits(model)
    with adapter.reference(model) as reference:
        assert torch.equal(logits(reference), base)
    assert torch.equal(logits(model), changed)
    assert not torch.allclose(changed, base, atol=1e-3)


@pytest.mark.parametrize("targets", [["all-linear"], ["q_proj", "layers.1.mlp.up_proj"], ["lm_head", "v_proj"]], ids=str)
def test_merged_equals_unmerged(directory, targets):
    model, adapter = trained(directory, target_modules=targets)
    wanted = logits(model)
    merged = adapter.merge(model)
    torch.testing.assert_close(logits(merged), wanted, rtol=1e-4, atol=1e-5)
    assert type(merged.model.layers[0].self_attn.v_proj) is torch.nn.Linear


def test_a_merged_model_is_saved_and_loaded_as_a_plain_one(directory, tmp_path):
    model, adapter = trained(directory, target_modules=["lm_head", "v_proj"])
    wanted = logits(model)
    adapter.merge(model).save_pretrained(tmp_path)
    torch.testing.assert_close(logits(load(tmp_path)), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
@pytest.mark.parametrize("targets", [["all-linear"], ["q_proj", "layers.1.mlp.up_proj"], ["lm_head", "v_proj"]], ids=str)
def test_saved_and_loaded_is_the_same_model(directory, tmp_path, targets, changes):
    model, adapter = trained(directory, target_modules=targets, **changes)
    adapter.save(model, tmp_path)
    again = load(directory)
    Lora(LoraSettings(r=1)).load(again, tmp_path)  # the file decides, not the settings
    assert torch.equal(logits(again), logits(model))


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_merged_equals_unmerged_however_it_began(directory, changes):
    model, adapter = trained(directory, **changes)
    wanted = logits(model)
    torch.testing.assert_close(logits(adapter.merge(model)), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{}, {"target_modules": ["lm_head", "v_proj"]}, {"init_lora_weights": "pissa", "use_rslora": True, "r": 24}], ids=str
)
def test_peft_loads_what_we_save(directory, tmp_path, changes):
    from peft import PeftModel

    model, adapter = trained(directory, **changes)
    adapter.save(model, tmp_path)
    theirs = PeftModel.from_pretrained(load(directory), tmp_path)
    torch.testing.assert_close(logits(theirs), logits(model), rtol=1e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{}, {"use_rslora": True}, {"alpha_pattern": {"q_proj": 3}, "rank_pattern": {"v_proj": 2}}, {"target_modules": r".*\.(q|up)_proj"}],
    ids=str,
)
def test_we_load_what_peft_saves(directory, tmp_path, changes):
    from peft import LoraConfig, get_peft_model

    config = {"r": 4, "lora_alpha": 6, "target_modules": "all-linear", "init_lora_weights": False, "task_type": "CAUSAL_LM"} | changes
    torch.manual_seed(0)
    theirs = get_peft_model(load(directory), LoraConfig(**config)).eval()
    theirs.save_pretrained(tmp_path)
    ours = load(directory)
    Lora(LoraSettings()).load(ours, tmp_path)
    torch.testing.assert_close(logits(ours), logits(theirs), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(
    "change",
    [{"use_dora": True}, {"bias": "all"}, {"peft_type": "VERA"}, {"modules_to_save": ["lm_head"]}],
    ids=str,
)
def test_what_it_can_not_compute_is_refused_by_name(directory, tmp_path, change):
    model, adapter = trained(directory)
    adapter.save(model, tmp_path)
    file = tmp_path / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(UserError, match="TS-TRAIN-011") as raised:
        adapter.load(load(directory), tmp_path)
    assert next(iter(change)).removeprefix("peft_")[:4] in raised.value.why


def test_an_adapter_of_another_model_is_refused(directory, tmp_path):
    model, adapter = trained(directory)
    adapter.save(model, tmp_path)
    weights = tmp_path / "adapter_model.safetensors"
    save_file({name.replace("layers.1", "layers.7"): value for name, value in load_file(weights).items()}, weights)
    with pytest.raises(UserError, match="TS-TRAIN-011") as raised:
        adapter.load(load(directory), tmp_path)
    assert "layers.7" in raised.value.why


def test_a_target_that_is_not_there_is_answered_with_the_nearest(directory):
    with pytest.raises(UserError, match="TS-TRAIN-010") as raised:
        Lora(LoraSettings(target_modules=["q_pro"])).attach(load(directory), seed=0)
    assert "q_proj" in raised.value.fix


def test_dropout_is_drawn_in_training_only(directory):
    model, _ = trained(directory, lora_dropout=0.5)
    assert torch.equal(logits(model), logits(model))
    model.train()
    assert not torch.equal(logits(model), logits(model))


@settings(max_examples=20, deadline=None)
@given(r=st.integers(1, 9), targets=st.sampled_from([["all-linear"], ["q_proj"], ["v_proj", "down_proj"]]))
def test_the_estimate_counts_what_trains(directory, r, targets):
    model = load(directory)
    Lora(LoraSettings(r=r, target_modules=targets)).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings={"r": r, "target_modules": targets}))["trainable"] == counted
