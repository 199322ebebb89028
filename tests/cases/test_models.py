"""Models that users brought: what of them is reached and counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import transformers

from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_models import ModelShape
from tunesmith_sdk.tiny_models import tiny_tokenizer
from tunesmith_torch.api.text import ChatTokenizer

CASES = Path(__file__).parent
GPT2 = transformers.GPT2Config(n_embd=64, n_layer=2, n_head=4, n_positions=256, vocab_size=320)
MOE = transformers.Qwen3MoeConfig(
    hidden_size=64, intermediate_size=128, moe_intermediate_size=32, num_experts=4, num_experts_per_tok=2, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=16, vocab_size=320,
)  # fmt: skip


@pytest.mark.parametrize(("case", "config", "wanted"), [("gpt2", GPT2, "c_attn"), ("moe-experts", MOE, "experts")])
def test_what_is_no_plain_linear_layer_learns_too(case, config, wanted):
    (row,) = (json.loads(line) for line in (CASES / case / "rows.jsonl").read_text("utf-8").splitlines())
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).requires_grad_(False)
    Lora(LoraSettings(r=2)).attach(model, seed=0)
    question, answer = row.get("instruction"), row.get("output")
    turns = [message("user", question), message("assistant", answer)]
    tokens = torch.tensor([list(ChatTokenizer(tiny_tokenizer()).encode(turns).tokens)])
    model(input_ids=tokens, labels=tokens).loss.backward()
    learning = [name for name, value in model.named_parameters() if value.grad is not None]
    assert any(wanted in name for name in learning)


@pytest.mark.parametrize(("name", "billions"), [("mixtral-8x7b", 46.7), ("qwen3-8b", 8.19)])
def test_parameters_are_those_that_a_model_has(name, billions):
    shape = ModelShape.from_config(json.loads((CASES / "estimates" / f"{name}.json").read_text("utf-8")))
    assert shape.parameters / 1e9 == pytest.approx(billions, rel=2e-3)
