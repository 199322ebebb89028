"""BOFT: PEFT's numbers, and factors that are really there."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_boft.adapter import Boft
from tunesmith_boft.estimate import parts
from tunesmith_boft.settings import BoftSettings
from tunesmith_models import ModelShape
from tunesmith_peft.reference_check import base, keeps, learns_as_peft, logits, packs
from tunesmith_sdk.tiny_models import tiny_model

VARIANTS = [{}, {"boft_block_size": 16}, {"target_modules": ["q_proj", "down_proj"]}]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("boft"), initializer_range=0.2)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_it_learns_as_plain_peft_does_and_is_kept_merged_and_packed(directory, tmp_path, changes):
    adapter = Boft(BoftSettings(**{"boft_block_size": 4} | changes))
    model = learns_as_peft(adapter, directory)
    assert not torch.allclose(logits(model), logits(base(directory)), atol=1e-3)
    packs(model)
    keeps(adapter, model, directory, tmp_path)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = BoftSettings(**{"boft_block_size": 4} | changes)
    model = base(directory)
    Boft(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


def test_at_the_start_the_model_is_the_base(directory):
    model = base(directory)
    Boft(BoftSettings(**{"boft_block_size": 4})).attach(model, seed=0)
    torch.testing.assert_close(logits(model), logits(base(directory)), rtol=1e-5, atol=1e-5)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    adapter = Boft(BoftSettings(**{"boft_block_size": 4}))
    model = learns_as_peft(adapter, directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)


def test_factors_that_peft_would_silently_leave_out_are_refused_in_the_plan_and_in_the_step(directory):
    shape, settings = ModelShape.from_config(json.loads((directory / "config.json").read_text())), BoftSettings(boft_n_butterfly_factor=2)
    with pytest.raises(UserError, match="TS-TRAIN-037"):
        parts(EstimateRequest(shape.config, settings=asdict(settings), device="cpu"))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings), device="cuda"))["trainable"] > 0


def test_blocks_that_do_not_divide_are_refused_in_the_plan(directory):
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    with pytest.raises(UserError, match="TS-TRAIN-033"):
        parts(EstimateRequest(shape.config, settings=asdict(BoftSettings(boft_block_size=7))))
