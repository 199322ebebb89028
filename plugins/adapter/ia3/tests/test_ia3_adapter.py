"""(IA)3: PEFT's numbers."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from tunesmith.contracts import EstimateRequest
from tunesmith_ia3.adapter import Ia3
from tunesmith_ia3.estimate import parts
from tunesmith_ia3.settings import Ia3Settings
from tunesmith_models import ModelShape
from tunesmith_peft.reference_check import base, keeps, learns_as_peft, logits, packs
from tunesmith_sdk.tiny_models import tiny_model

VARIANTS = [
    {},
    {"target_modules": ["all-linear"]},
    {"target_modules": ["q_proj", "o_proj"], "feedforward_modules": ["o_proj"]},
    {"target_modules": ["v_proj"]},
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("ia3"), initializer_range=0.2)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_it_learns_as_plain_peft_does_and_is_kept_merged_and_packed(directory, tmp_path, changes):
    adapter = Ia3(Ia3Settings(**{} | changes))
    model = learns_as_peft(adapter, directory)
    assert not torch.allclose(logits(model), logits(base(directory)), atol=1e-3)
    packs(model)
    keeps(adapter, model, directory, tmp_path)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = Ia3Settings(**{} | changes)
    model = base(directory)
    Ia3(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


def test_at_the_start_the_model_is_the_base(directory):
    model = base(directory)
    Ia3(Ia3Settings(**{})).attach(model, seed=0)
    torch.testing.assert_close(logits(model), logits(base(directory)), rtol=1e-5, atol=1e-5)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    adapter = Ia3(Ia3Settings(**{}))
    model = learns_as_peft(adapter, directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)
