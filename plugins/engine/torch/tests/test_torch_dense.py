"""The engine's own decoder computes what transformers' model does: hidden states, losses and gradients, family by family."""

from __future__ import annotations

import pytest
import torch
import transformers

from tunesmith.contracts import TokenSequence
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_torch.dense.loading import load_dense
from tunesmith_torch.dense.spec import FAMILIES, NotDense, dense_spec
from tunesmith_torch.log_probs import label_log_probs
from tunesmith_torch.models import load_model
from tunesmith_torch.packed import pack
from tunesmith_torch.policy import autocast, cast

COMMON = {
    "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 101,
    "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
    "rope_theta": 500.0,
}  # fmt: skip
SIZED = {"head_dim": 16}
MODELS = {
    "llama": ("LlamaConfig", {}),
    "llama tied, biased, with scaled positions": (
        "LlamaConfig", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "rope_parameters": LLAMA3},
    ),
    "llama with linearly scaled positions": ("LlamaConfig", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}),
    "mistral in a window": ("MistralConfig", {"sliding_window": 7}),
    "qwen2": ("Qwen2Config", {}),
    "qwen2 with windows": ("Qwen2Config", {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}),
    "qwen3": ("Qwen3Config", SIZED),
    "smollm3": ("SmolLM3Config", {"no_rope_layer_interval": 2}),
    "phi3": ("Phi3Config", {"sliding_window": 9}),
    "phi3 turning half": (
        "Phi3Config", {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
    ),
    "gemma": ("GemmaConfig", SIZED),
    "gemma2": ("Gemma2Config", {**SIZED, "sliding_window": 6, "query_pre_attn_scalar": 24}),
    "gemma3": ("Gemma3TextConfig", {**SIZED, "sliding_window": 6, "sliding_window_pattern": 2, "query_pre_attn_scalar": 24}),
}  # fmt: skip


@pytest.fixture(params=MODELS)
def directory(request, tmp_path):
    name, changes = MODELS[request.param]
    torch.manual_seed(0)
    config = getattr(transformers, name)(**COMMON, **changes)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():  # norms begin at one, biases at nothing: neither would show
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            else:
                parameter.mul_(4)
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def _sequences() -> list[TokenSequence]:
    draw = torch.Generator().manual_seed(1)
    start = torch.randint(3, 101, (18,), generator=draw).tolist()
    sequences = []
    for length in (11, 4, 23):
        tokens = (start if length != 4 else []) + torch.randint(3, 101, (length,), generator=draw).tolist()
        sequences.append(TokenSequence(tokens, [False, *(at % 3 != 0 for at in range(1, len(tokens)))]))
    return sequences


def _losses_and_gradients(model, settings: LoraSettings, compute: torch.dtype):
    adapter = Lora(settings)
    adapter.attach(model, seed=3)
    cast(model, compute)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith(".b"):
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))) * 0.05)
    batch = pack(_sequences())
    with autocast(torch.device("cpu"), compute):
        values = label_log_probs(model.train(), batch)
    values.sum().backward()
    return values.detach(), {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


def _same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], tolerance: float) -> None:
    assert one.keys() == other.keys()
    for name in one:
        scale = other[name].abs().max() + 1e-6
        assert (one[name] - other[name]).abs().max() <= tolerance * scale, name


@pytest.mark.parametrize("targets", [["all-linear"], ["o_proj", "lm_head"]])
def test_losses_and_gradients_are_those_of_the_reference(directory, targets):
    settings = LoraSettings(r=3, targets=targets)
    values, gradients = _losses_and_gradients(load_dense(directory), settings, torch.float32)
    expected, expected_gradients = _losses_and_gradients(load_model(directory), settings, torch.float32)
    assert (values - expected).abs().max() < 2e-4
    _same(gradients, expected_gradients, 2e-4)
