"""DoRA: PEFT's numbers, and what it does not go on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import pytest
import torch

from tunesmith.contracts import EstimateRequest
from tunesmith_dora.adapter import Dora
from tunesmith_dora.estimate import parts
from tunesmith_dora.settings import DoraSettings
from tunesmith_models import ModelShape
from tunesmith_peft.reference_check import base, keeps, learns_as_peft, logits, packs
from tunesmith_sdk.tiny_models import tiny_model

VARIANTS = [{}, {"use_rslora": True}, {"target_modules": ["q_proj", "down_proj"]}]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("dora"), initializer_range=0.2)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_it_learns_as_plain_peft_does_and_is_kept_merged_and_packed(directory, tmp_path, changes):
    adapter = Dora(DoraSettings(**{"r": 4, "lora_alpha": 8.0} | changes))
    model = learns_as_peft(adapter, directory)
    assert not torch.allclose(logits(model), logits(base(directory)), atol=1e-3)
    packs(model)
    keeps(adapter, model, directory, tmp_path)


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_the_estimate_counts_what_trains(directory, changes):
    settings = DoraSettings(**{"r": 4, "lora_alpha": 8.0} | changes)
    model = base(directory)
    Dora(settings).attach(model, seed=0)
    counted = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shape = ModelShape.from_config(json.loads((directory / "config.json").read_text()))
    assert parts(EstimateRequest(shape.config, settings=asdict(settings)))["trainable"] == counted


def test_at_the_start_the_model_is_the_base(directory):
    model = base(directory)
    Dora(DoraSettings(**{"r": 4, "lora_alpha": 8.0})).attach(model, seed=0)
    torch.testing.assert_close(logits(model), logits(base(directory)), rtol=1e-5, atol=1e-5)


def test_the_reference_is_the_base_and_goes_away_again(directory):
    adapter = Dora(DoraSettings(**{"r": 4, "lora_alpha": 8.0}))
    model = learns_as_peft(adapter, directory)
    after = logits(model)
    with adapter.reference(model):
        assert torch.equal(logits(model), logits(base(directory)))
    assert torch.equal(logits(model), after)


PIPELINE = """
model: file://{model}
steps:
  small: {{quantize: {{{quantizer}: {{group_size: 32}}}}, data: rows.jsonl}}
  tune: {{train: sft, adapter: dora, data: rows.jsonl, from: small}}
"""


@pytest.mark.parametrize("quantizer", ["gptq", "autoawq"])
def test_the_plan_says_why_it_does_not_go_on_a_base_in_packed_bits(directory, tmp_path, quantizer):
    (tmp_path / "rows.jsonl").write_text('{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 3)
    (tmp_path / "p.yaml").write_text(PIPELINE.format(model=directory, quantizer=quantizer))
    command = [sys.executable, "-m", "tunesmith_cli", "plan", str(tmp_path / "p.yaml"), "--home", str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = " ".join((done.stdout + done.stderr).split())
    assert "because DoRA needs the length of each row of W + B A" in said.replace("Because", "because")
    # refused, or, where a plugin that unpacks such a base is installed, unpacked first
    assert done.returncode == 2 if "TS-PLAN-001" in said else "inserted: export" in said
