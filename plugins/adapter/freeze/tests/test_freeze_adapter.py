"""Partial fine-tuning: what is named trains, the rest stays to the bit, and what is saved is a model."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith_freeze.adapter import Freeze
from tunesmith_freeze.estimate import parts
from tunesmith_freeze.settings import FreezeSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.api.model import load_model

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101]])


@pytest.fixture(scope="module", params=[False, True], ids=["untied", "tied"])
def directory(request, tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("freeze"), tie_word_embeddings=request.param, num_hidden_layers=3, initializer_range=0.2)


def load(path):
    return AutoModelForCausalLM.from_pretrained(path).eval()


def logits(model):
    with torch.no_grad():
        return model(TOKENS).logits


def attached(directory, **settings):
    adapter = Freeze(FreezeSettings(**settings))
    adapter.base_at(directory)
    model = load_model(directory)
    adapter.attach(model, seed=0, reference=True)
    return model, adapter


def moved(directory, **settings):
    model, adapter = attached(directory, **settings)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.01
    return model, adapter


def training(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def named(directory, *beginnings):
    return {name for name, _ in load(directory).named_parameters() if name.startswith(beginnings)}


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"trainable_layers": 1}, ["model.layers.2."]),
        ({"trainable_layers": 2}, ["model.layers.1.", "model.layers.2."]),
        ({"trainable_layers": 9}, ["model.layers."]),
        ({"trainable_layers": 0, "trainable_modules": ["mlp"]}, [f"model.layers.{n}.mlp." for n in range(3)]),
        (
            {"trainable_layers": 1, "trainable_modules": ["layers.0.self_attn", "model.norm"]},
            ["model.layers.2.", "model.layers.0.self_attn.", "model.norm."],
        ),
        ({"trainable_layers": 1, "train_embeddings": True}, ["model.layers.2.", "model.embed_tokens."]),
    ],
    ids=str,
)
def test_what_is_named_trains_and_nothing_else(directory, settings, wanted):
    assert training(attached(directory, **settings)[0]) == named(directory, *wanted)


def test_the_head_trains_alone_or_with_the_embeddings_it_is_shared_with(directory):
    model, _ = attached(directory, trainable_layers=0, train_lm_head=True)
    tied = model.config.tie_word_embeddings
    assert training(model) == {"model.embed_tokens.weight" if tied else "lm_head.weight"}


def test_gradients_reach_what_trains(directory):
    model, _ = attached(directory, trainable_layers=1, trainable_modules=["layers.0.mlp"])
    model(TOKENS, labels=TOKENS).loss.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters() if p.requires_grad)
    assert all(p.grad is None for p in model.parameters() if not p.requires_grad)


def test_the_reference_is_the_model_before_training_and_goes_away_again(directory):
    model, adapter = moved(directory)
    changed = logits(model)
    with adapter.reference(model) as reference:
        assert torch.equal(logits(reference), logits(load(directory)))
    assert torch.equal(logits(model), changed)
    assert not torch.allclose(changed, logits(load(directory)), atol=1e-4)


def test_without_being_asked_no_copy_is_kept(directory):
    model, adapter = load(directory), Freeze(FreezeSettings())
    adapter.attach(model, seed=0)
    with pytest.raises(TunesmithError, match="TS-TRAIN-012"), adapter.reference(model):
        pass


@pytest.mark.parametrize("compute", [torch.float32, torch.bfloat16])
def test_saved_it_is_a_model_whose_frozen_weights_are_the_bases_to_the_bit(directory, tmp_path, compute):
    model, adapter = moved(directory)
    trained = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    for parameter in model.parameters():  # as the engine does
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(compute)
    adapter.save(model, tmp_path)
    saved, before = dict(load(tmp_path).named_parameters()), dict(load(directory).named_parameters())
    assert saved.keys() == before.keys()
    for name, value in saved.items():
        assert torch.equal(value, trained.get(name, before[name])), name


def test_saved_and_loaded_is_the_same_model(directory, tmp_path):
    model, adapter = moved(directory)
    adapter.save(model, tmp_path)
    again = load(directory)
    Freeze(FreezeSettings()).load(again, tmp_path)
    assert torch.equal(logits(again), logits(model))
    assert torch.equal(logits(adapter.merge(again)), logits(model))


def test_a_part_that_is_not_there_is_answered_with_the_nearest(directory):
    with pytest.raises(UserError, match="TS-TRAIN-042") as raised:
        attached(directory, trainable_modules=["self_atn"])
    assert "self_attn" in raised.value.fix


def test_settings_that_train_nothing_are_refused(directory):
    with pytest.raises(UserError, match="TS-TRAIN-042"):
        attached(directory, trainable_layers=0)


@pytest.mark.parametrize(
    "settings",
    [{}, {"trainable_layers": 5}, {"trainable_layers": 1, "trainable_modules": ["mlp"]}, {"trainable_layers": 1,
    "trainable_modules": ["layers.0", "layers.2.mlp", "norm", "q_proj"]},
     {"trainable_layers": 0, "train_lm_head": True}, {"train_embeddings": True, "train_lm_head": True}],
    ids=str,
)  # fmt: skip
def test_the_estimate_counts_what_trains(directory, settings):
    model, _ = attached(directory, **settings)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    asked = {"trainable_layers": 2, "trainable_modules": [], "train_embeddings": False, "train_lm_head": False} | settings
    said = parts(EstimateRequest(shape.config, settings=asked))
    overlap = (
        sum(p.numel() for n, p in model.named_parameters() if "layers.0.self_attn.q_proj" in n)
        if "q_proj" in asked["trainable_modules"]
        else 0
    )
    assert said["trainable"] - overlap == sum(p.numel() for p in model.parameters() if p.requires_grad)
