"""PEFT's methods on layers that keep their matrix as (in, out), as GPT-2's do: they load in PEFT, come back and merge, or are refused."""

from __future__ import annotations

import pytest
import torch

from tunesmith.contracts import UserError
from tunesmith_peft import reference_check
from tunesmith_peft.adapter import PeftAdapter
from tunesmith_sdk.tiny_models import tiny_model

#: PEFT's name and options of what the adapters dora, vera, ia3 and adalora are made of
METHODS = {
    "dora": ("lora", {"r": 4, "use_dora": True}),
    "vera": ("vera", {"r": 8}),
    "ia3": ("ia3", {"feedforward_modules": []}),
    "adalora": ("adalora", {"init_r": 4, "target_r": 4, "total_step": 10}),
}


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("gpt2"), family="gpt2", n_embd=64, n_layer=2, n_head=4, n_positions=64, initializer_range=0.2)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_knows_such_layers_is_saved_and_merged_right(gpt2, tmp_path, name):
    method, options = METHODS[name]
    adapter, model = PeftAdapter(method, options, targets=["all-linear"]), reference_check.base(gpt2)
    adapter.attach(model, seed=3)
    before = reference_check.logits(model)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn_like(parameter)
    assert (reference_check.logits(model) - before).abs().max() > 1e-3
    reference_check.keeps(adapter, model, gpt2, tmp_path, cut=1e-6)


@pytest.mark.parametrize(("method", "options"), [("oft", {"r": 0, "oft_block_size": 4}), ("boft", {"boft_block_size": 4})])
def test_one_that_does_not_is_refused_and_names_the_kind_of_layer(gpt2, method, options):
    with pytest.raises(UserError, match="TS-TRAIN-032") as refused:
        PeftAdapter(method, options, targets=["all-linear"]).attach(reference_check.base(gpt2), seed=3)
    assert "Conv1D" in refused.value.why
