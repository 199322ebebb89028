"""OFT: PEFT's numbers, and blocks that fit."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape
from tunesmith_oft.adapter import Oft
from tunesmith_oft.estimate import parts
from tunesmith_oft.settings import OftSettings
from tunesmith_peft.reference_check import base, keeps, learns_as_peft, logits, packs
from tunesmith_sdk.tiny_models import tiny_model

VARIANTS = [{}, {"block_share": True}, {"use_cayley_neumann": False, "target_modules": ["q_proj", "down_proj"]}]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("oft"), initializer_range=0.2)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_it_learns_as_plain_peft_does_and_is_kept_merged_and_packed(directory, tmp_path, changes):
    adapter = Oft(OftSettings(**{"oft_block_size": 16} | changes))
    model = learns_as_peft(adapter, directory)
    assert not torch.allclose(logits(model), logits(base(directory)), atol=1e-3)
    packs(model)
    keeps(adapter, model, directory, tmp_path)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = OftSettings(**{"oft_block_size": 16} | changes)
    model = base(directory)
    Oft(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


def test_at_the_start_the_model_is_the_base(directory):
    model = base(directory)
    Oft(OftSettings(**{"oft_block_size": 16})).attach(model, seed=0)
    torch.testing.assert_close(logits(model), logits(base(directory)), rtol=1e-5, atol=1e-5)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    adapter = Oft(OftSettings(**{"oft_block_size": 16}))
    model = learns_as_peft(adapter, directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)


def test_blocks_that_do_not_divide_are_refused_in_the_plan_with_those_that_do(directory):
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    with pytest.raises(UserError, match="TS-TRAIN-033") as raised:
        parts(EstimateRequest(shape.config, settings=asdict(OftSettings(oft_block_size=48))))
    assert "`q_proj`" in raised.value.what
    assert "32" in raised.value.fix
