"""The bridge: every method trains, is saved as PEFT saves it, comes back, and merges as PEFT does."""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
from pathlib import Path

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith.contracts.settings import build
from tunesmith_models import ModelShape
from tunesmith_peft.adapter import Peft
from tunesmith_peft.estimate import parts
from tunesmith_peft.methods import check, described
from tunesmith_peft.parameter_counts import COUNTS, SHARED
from tunesmith_peft.settings import PeftSettings
from tunesmith_sdk.tiny_models import tiny_model

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101, 3, 8]])
METHODS = sorted(described()["methods"])
NOT_MERGED = {"beft", "lily"}
#: sizes that fit a model of 64 inputs, where PEFT's defaults are for large ones
OPTIONS = {
    "boft": {"boft_block_size": 4}, "c3a": {"block_size": 16}, "fourierft": {"n_frequency": 50}, "oft": {"oft_block_size": 4},
    "ia3": {"target_modules": ["k_proj", "v_proj", "down_proj"], "feedforward_modules": ["down_proj"]},
    "ln_tuning": {"target_modules": ["input_layernorm", "post_attention_layernorm", "norm"]}, "road": {"group_size": 32}, "shira": {"r": 8},
    "trainable_tokens": {"token_indices": [3, 4, 5]}, "vblora": {"vector_length": 16, "num_vectors": 8}, "waveft": {"n_frequency": 50},
}  # fmt: skip


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("peft"), initializer_range=0.2)


def load(directory):
    return copy.deepcopy(loaded(directory))


@functools.cache
def loaded(directory):
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(directory).eval()


def adapter(method, **options):
    return Peft(PeftSettings(method, OPTIONS.get(method, {}) | options))


def learn(model, steps=2):
    """The losses of some steps."""
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(TOKENS, labels=TOKENS).loss
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def trained(directory, method, **options):
    model, ours = load(directory), adapter(method, **options)
    ours.attach(model, seed=3)
    learn(model)
    return model, ours


def logits(model):
    with torch.no_grad():
        return model.eval()(TOKENS).logits


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_as_plain_peft_does_and_is_saved_loaded_merged_and_counted(directory, tmp_path, method):
    model, ours = load(directory), adapter(method)
    base = logits(model)
    ours.attach(model, seed=3, reference=True)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    torch.manual_seed(3)
    theirs = peft.get_peft_model(load(directory), ours.config(load(directory))).eval()
    assert learn(model) == learn(theirs)
    after = logits(model)
    assert not torch.equal(after, base)
    with ours.reference(model):
        torch.testing.assert_close(logits(model), base, rtol=0, atol=1e-4)
    assert torch.equal(logits(model), after)
    ours.save(model, tmp_path)
    assert torch.equal(logits(peft.PeftModel.from_pretrained(load(directory), tmp_path)), after)
    assert_comes_back(directory, tmp_path, after, merges=method not in NOT_MERGED)
    assert_counted(directory, method, counted)


def assert_comes_back(directory, saved, after, *, merges):
    """Loaded from its files, which decide and not the settings, it is the same model, and merged the same numbers."""
    again, other = load(directory), adapter("lora")
    other.load(again, saved)
    assert torch.equal(logits(again), after)
    if not merges:
        with pytest.raises(UserError, match="TS-TRAIN-036"):
            other.merge(again)
        return
    merged = other.merge(again)
    torch.testing.assert_close(logits(merged), after, rtol=0, atol=4e-6 * float(after.abs().max()))
    assert merged.state_dict().keys() == load(directory).state_dict().keys()


def assert_counted(directory, method, counted):
    """The estimate is what trains; where no formula is known, it errs on the safe side."""
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    said = parts(EstimateRequest(shape.config, settings={"peft_type": method, "options": OPTIONS.get(method, {})}))["trainable"]
    known = method in {*COUNTS, *SHARED, "ia3", "ln_tuning", "trainable_tokens"}
    assert said == counted if known else said >= counted


@pytest.mark.parametrize(
    "options",
    [{"use_dora": True, "rank_pattern": {"q_proj": 2}}, {"bias": "all"}, {"target_modules": r".*\.(q|up)_proj"},
     {"modules_to_save": ["norm"]}, {"target_modules": ["lm_head", "v_proj"]}, {"velora_config": {"num_groups": 8}}],
    ids=str,
)  # fmt: skip
def test_options_of_all_types_reach_peft(directory, tmp_path, options):
    model, ours = trained(directory, "lora", **options)
    ours.save(model, tmp_path)
    theirs = peft.PeftModel.from_pretrained(load(directory), tmp_path)
    assert torch.equal(logits(theirs), logits(model))


def test_trained_biases_are_taken_back_for_the_reference(tmp_path):
    base = tiny_model(tmp_path / "model", family="qwen2", initializer_range=0.2)
    model, ours = load(base), adapter("lora", bias="all")
    before = logits(model)
    ours.attach(model, seed=0, reference=True)
    learn(model)
    with ours.reference(model):
        assert torch.equal(logits(model), before)
    assert not torch.equal(logits(model), before)


def test_what_rewrites_the_base_is_refused_where_a_reference_is_needed(directory):
    adapter("lora", init_lora_weights="pissa").attach(load(directory), seed=0)
    with pytest.raises(UserError, match="TS-TRAIN-035"):
        adapter("lora", init_lora_weights="pissa").attach(load(directory), seed=0, reference=True)


@pytest.mark.parametrize("targets", [["lm_head", "v_proj"], ["embed_tokens", "v_proj"]], ids=str)
def test_merging_one_end_of_a_tied_model_gives_it_a_matrix_of_its_own(tmp_path, targets):
    base = tiny_model(tmp_path / "model", tie_word_embeddings=True, initializer_range=0.2)
    model, ours = trained(base, "lora", target_modules=targets)
    wanted = logits(model)
    merged = ours.merge(model)
    merged.save_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(load(tmp_path / "merged")), wanted, rtol=1e-4, atol=1e-4)


def test_its_files_name_no_path_and_hold_sets_in_order(directory, tmp_path):
    model, ours = trained(directory, "oft", target_modules=["v_proj", "q_proj", "down_proj", "k_proj"])
    ours.save(model, tmp_path)
    text = (tmp_path / "adapter_config.json").read_text()
    assert str(directory.parent) not in text
    assert json.loads(text)["target_modules"] == ["down_proj", "k_proj", "q_proj", "v_proj"]


@pytest.mark.parametrize("damage", ["layer", "missing", "shape", "config", "foreign"])
def test_an_adapter_that_does_not_fit_is_refused(directory, tmp_path, damage):
    model, ours = trained(directory, "loha")
    ours.save(model, tmp_path)
    weights, config = tmp_path / "adapter_model.safetensors", tmp_path / "adapter_config.json"
    tensors = load_file(weights)
    first = next(iter(tensors))
    if damage == "layer":
        tensors[first.replace("layers.0", "layers.7")] = tensors.pop(first)
    elif damage == "missing":
        del tensors[first]
    elif damage == "shape":
        tensors[first] = tensors[first][:, :3].contiguous()
    save_file(tensors, weights)
    if damage == "config":
        config.write_text("{")
    elif damage == "foreign":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"peft_type": "PREFIX_TUNING"}))
    with pytest.raises(UserError, match="TS-TRAIN-011"):
        adapter("loha").load(load(directory), tmp_path)


@pytest.mark.parametrize(
    ("method", "options", "code", "words"),
    [
        ("loa", {}, "TS-TRAIN-030", "`lora`"), ("adalora", {}, "TS-TRAIN-030", "adapter `adalora`"),
        ("prompt_tuning", {}, "TS-TRAIN-030", "adapter `prompt`"), ("loha", {"rnak": 4}, "TS-TRAIN-031", "`rank"),
        ("lora", {"r": "8"}, "TS-TRAIN-031", "whole number"), ("lora", {"init_lora_weights": 3}, "TS-TRAIN-031", "true or false"),
        ("oft", {"bias": "som"}, "TS-TRAIN-031", "some"), ("lora", {"target_modules": [1]}, "TS-TRAIN-031", "target_modules[0]"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_misspelt_is_refused_by_name_before_anything_is_imported(method, options, code, words):
    with pytest.raises(UserError, match=code) as raised:
        check(method, options)
    assert words in f"{raised.value.what} {raised.value.why} {raised.value.fix}" or method in ("loha", "oft")


def test_what_only_peft_can_know_is_told_with_its_sentence(directory):
    with pytest.raises(UserError, match="TS-TRAIN-032") as raised:
        adapter("lora", target_modules=["nowhere"]).attach(load(directory), seed=0)
    assert "nowhere" in raised.value.why


def test_the_data_and_the_page_are_those_of_the_installed_peft():
    spec = importlib.util.spec_from_file_location("describe_methods", Path(__file__).parents[1] / "tools" / "describe_methods.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.main(["--check"]) == 0


def test_settings_are_built_from_what_a_pipeline_says():
    settings = build(PeftSettings, {"peft_type": "hra", "options": {"r": 4}})
    assert Peft(settings).options["r"] == 4
