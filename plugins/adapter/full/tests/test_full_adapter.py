"""Full fine-tuning: everything trains, and what is saved is a model."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tunesmith.contracts import EstimateRequest, TunesmithError
from tunesmith_full.adapter import Full
from tunesmith_full.estimate import parts
from tunesmith_full.settings import FullSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.tiny_models import tiny_model

TOKENS = torch.tensor([[5, 9, 13, 40, 77, 101]])


@pytest.fixture(scope="module", params=[False, True], ids=["untied", "tied"])
def directory(request, tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("full"), tie_word_embeddings=request.param)


def load(path, **more):
    return AutoModelForCausalLM.from_pretrained(path, **more).eval()


def logits(model):
    with torch.no_grad():
        return model(TOKENS).logits


def attached(directory, **more):
    model, adapter = load(directory).requires_grad_(False), Full(FullSettings(**more))
    adapter.attach(model, seed=0, reference=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01
    return model, adapter


def test_everything_trains(directory):
    model, _ = attached(directory)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_reference_is_the_model_before_training(directory):
    base = logits(load(directory))
    model, adapter = attached(directory)
    with adapter.reference(model) as reference:
        assert torch.equal(logits(reference), base)
        assert not any(parameter.requires_grad for parameter in reference.parameters())
    assert not torch.allclose(logits(model), base, atol=1e-4)


def test_without_being_asked_no_copy_is_kept(directory):
    model, adapter = load(directory), Full(FullSettings())
    adapter.attach(model, seed=0)
    with pytest.raises(TunesmithError, match="TS-TRAIN-012"), adapter.reference(model):
        pass


def test_saved_and_loaded_is_the_same_model(directory, tmp_path):
    model, adapter = attached(directory)
    adapter.save(model, tmp_path)
    assert torch.equal(logits(load(tmp_path)), logits(model))
    again = load(directory)
    adapter.load(again, tmp_path)
    assert torch.equal(logits(adapter.merge(again)), logits(model))


@pytest.mark.parametrize(("asked", "stored"), [("auto", torch.bfloat16), ("float32", torch.float32)])
def test_it_is_stored_as_the_base_was_unless_asked(directory, tmp_path, asked, stored):
    half = tmp_path / "half"
    load(directory, dtype=torch.bfloat16).save_pretrained(half)
    model, adapter = load(half), Full(FullSettings(save_dtype=asked))
    adapter.attach(model, seed=0)
    adapter.save(model.float(), tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["dtype"] == str(stored).removeprefix("torch.")
    assert load(tmp_path / "saved").dtype == stored


def test_the_estimate_counts_what_trains(directory):
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config))["trainable"] == sum(p.numel() for p in load(directory).parameters())
