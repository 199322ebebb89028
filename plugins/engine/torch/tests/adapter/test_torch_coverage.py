"""What a step says of the share of a model that its adapter reaches."""

from __future__ import annotations

import pytest

from tunesmith_dora.adapter import Dora
from tunesmith_dora.settings import DoraSettings
from tunesmith_freeze.adapter import Freeze
from tunesmith_freeze.settings import FreezeSettings
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_ia3.adapter import Ia3
from tunesmith_ia3.settings import Ia3Settings
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_prompt.adapter import Prompt
from tunesmith_prompt.settings import PromptSettings
from tunesmith_qlora.adapter import Qlora
from tunesmith_qlora.settings import QloraSettings
from tunesmith_sdk.tiny_models import tiny_model
from tunesmith_torch.adapter.coverage import AdapterCoverage
from tunesmith_torch.model.loader import load_base

#: By layer: attention 64 x (64 + 32 + 32) + 64 x 64, four experts of 3 x 64 x 32, a router of 4 x 64.
ATTENTION, EXPERTS, ROUTER = 12288, 24576, 256
ALL = ATTENTION + EXPERTS + ROUTER


@pytest.fixture(scope="module")
def moe(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("moe"), family="qwen3_moe", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32)


def said(directory, adapter):
    model = load_base(directory, adapter)
    before = AdapterCoverage(model)
    adapter.attach(model, seed=0)
    return before.decision(model)


def percent(share):
    return f"{100 * share:.1f} %"


@pytest.mark.parametrize("adapter", [Lora(LoraSettings()), Qlora(QloraSettings())], ids=["lora", "qlora"])
def test_experts_are_reached_and_the_router_is_named_as_left(moe, adapter):
    what, why = said(moe, adapter)
    assert percent(1 - ROUTER / ALL) in what
    assert why == f"left as they are: mlp.gate ({percent(ROUTER / ALL)})"


@pytest.mark.parametrize(
    "adapter",
    [Dora(DoraSettings()), Ia3(Ia3Settings(target_modules=["all-linear"], feedforward_modules=[])), Lora(LoraSettings(lora_dropout=0.1))],
    ids=["dora", "ia3", "lora with dropout"],
)
def test_experts_that_an_adapter_can_not_reach_are_named_with_their_share(moe, adapter):
    what, why = said(moe, adapter)
    assert percent(ATTENTION / ALL) in what
    assert f"mlp.experts.gate_up_proj ({percent(EXPERTS * 2 / 3 / ALL)}), mlp.experts.down_proj ({percent(EXPERTS / 3 / ALL)})" in why


def test_of_experts_only_the_named_parameter_counts(moe):
    what, why = said(moe, Lora(LoraSettings(target_modules=["experts.down_proj"])))
    assert percent(EXPERTS / 3 / ALL) in what
    assert "mlp.experts.gate_up_proj" in why
    assert "down_proj (" not in why


def test_what_trains_itself_is_reached(moe):
    assert "100 %" in said(moe, Full(FullSettings()))[0]
    assert "50 %" in said(moe, Freeze(FreezeSettings(trainable_layers=1)))[0]


def test_what_changes_no_matrix_says_so(moe):
    assert said(moe, Prompt(PromptSettings())) == ("the adapter reaches none of the model's matrices", "it trains something beside them")
