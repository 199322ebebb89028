"""VeRA: PEFT's numbers."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_peft.reference_check import base, keeps, learns_as_peft, logits, packs
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_vera.adapter import Vera
from tunesmith_vera.estimate import parts
from tunesmith_vera.settings import VeraSettings

VARIANTS = [{}, {"save_projection": False, "projection_prng_key": 5}, {"target_modules": ["q_proj", "up_proj"]}]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("vera"), initializer_range=0.2)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_it_learns_as_plain_peft_does_and_is_kept_merged_and_packed(directory, tmp_path, changes):
    adapter = Vera(VeraSettings(**{"r": 16} | changes))
    model = learns_as_peft(adapter, directory)
    assert not torch.allclose(logits(model), logits(base(directory)), atol=1e-3)
    packs(model)
    keeps(adapter, model, directory, tmp_path)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = VeraSettings(**{"r": 16} | changes)
    model = base(directory)
    Vera(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


def test_at_the_start_the_model_is_the_base(directory):
    model = base(directory)
    Vera(VeraSettings(**{"r": 16})).attach(model, seed=0)
    torch.testing.assert_close(logits(model), logits(base(directory)), rtol=1e-5, atol=1e-5)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    adapter = Vera(VeraSettings(**{"r": 16}))
    model = learns_as_peft(adapter, directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)


def test_without_the_random_matrices_the_artifact_is_vectors_alone(directory, tmp_path):
    adapter = Vera(VeraSettings(r=16, save_projection=False))
    adapter.save(learns_as_peft(adapter, directory), tmp_path)
    names = load_file(tmp_path / "adapter_model.safetensors").keys()
    assert {name.rsplit(".", 1)[-1] for name in names} == {"vera_lambda_b", "vera_lambda_d"}
