"""The parents: tiny random models whose every part matters to their answers.

Weights are drawn wider than a training run would draw them, norms and biases are not what they are at the start (ones and zeros): else a
lost bias or a norm of another layer would change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from tunesmith_sdk.tiny_models import tiny_model

from .model_files import Tensors, edited_json, edited_tensors, layer

HEAD_DIM, HEADS, KEY_VALUE_HEADS = 16, 4, 2
RANK, ALPHA = 4, 16


def llama(directory: Path) -> Path:
    """Grouped-query attention, a head of its own, and two tokens that end an answer."""
    _written(directory, "llama")
    with edited_json(directory, "generation_config.json") as generation:
        generation["eos_token_id"] = [2, 0]
    return directory


def all_heads(directory: Path) -> Path:
    """As many key heads as query heads: both projections have the same shape."""
    return _written(directory, "llama", num_key_value_heads=HEADS)


def qwen2(directory: Path) -> Path:
    """Biases in attention, one matrix for embedding and head."""
    return _written(directory, "qwen2", tie_word_embeddings=True)


def mistral(directory: Path) -> Path:
    """Attention that looks eight tokens back."""
    return _written(directory, "mistral", sliding_window=8)


def gemma2(directory: Path) -> Path:
    """Norms that store their distance from one, an attention scale of its own, logits held below five."""
    return _written(directory, "gemma2", query_pre_attn_scalar=4, final_logit_softcapping=5.0, tie_word_embeddings=True)


def granite(directory: Path) -> Path:
    """Multipliers of embeddings, residuals and logits in the config."""
    return _written(directory, "granite", embedding_multiplier=2.0, residual_multiplier=0.4, logits_scaling=2.0, attention_multiplier=0.25)


def mixtral(directory: Path) -> Path:
    """Four experts, two for each token."""
    return _written(directory, "mixtral", num_local_experts=4, num_experts_per_tok=2)


def long_context(directory: Path) -> Path:
    """Positions stretched by four, as a model made for longer texts has them."""
    return _written(directory, "llama", rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0})


def wide(directory: Path) -> Path:
    """In bfloat16, with one channel of a norm that is too great for float16, and what follows it that much smaller."""
    _written(directory, "llama")
    with edited_tensors(directory) as tensors:
        tensors[layer(0, "input_layernorm")][3] *= 2.0**18
        for name in ("q_proj", "k_proj", "v_proj"):
            tensors[layer(0, f"self_attn.{name}")][:, 3] *= 2.0**-18
        tensors.update({name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()})
    with edited_json(directory) as config:
        config["dtype"] = "bfloat16"
    return directory


def lora(directory: Path) -> Path:
    """A LoRA adapter on `llama`, whose scale (alpha / r) is four."""
    return _adapter(directory)


def lora_and_head(directory: Path) -> Path:
    """A LoRA adapter scaled by alpha / sqrt(r) that brings a head of its own."""
    return _adapter(directory, use_rslora=True, modules_to_save=["lm_head"])


PARENTS: dict[str, Callable[[Path], Path]] = {
    function.__name__: function
    for function in (llama, all_heads, qwen2, mistral, gemma2, granite, mixtral, long_context, wide, lora, lora_and_head)
}


def _written(directory: Path, family: str, **config: object) -> Path:
    tiny_model(directory, family=family, initializer_range=0.2, **config)
    with edited_tensors(directory) as tensors:
        _enliven(tensors, around=0.0 if family == "gemma2" else 1.0)
    return directory


def _enliven(tensors: Tensors, around: float) -> None:
    """Give norms and biases values of their own; `around`: what a norm that does nothing stores."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in sorted(tensors.items()):
        if tensor.dim() == 1:
            centre = around if "norm" in name else 0.0
            tensors[name] = centre + 0.4 * torch.randn(tensor.shape, generator=generator)


def _adapter(directory: Path, **more: object) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = llama(directory.with_name(f"{directory.name}-base"))
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "v_proj", "o_proj", "down_proj"], **more)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
            elif "modules_to_save" in name:
                parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(directory)
    return directory
