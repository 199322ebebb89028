"""Tiny real models: real architectures and real tokenizers, small random weights, made in a second without a network.

torch and transformers are imported when a model is made, not before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_CORPUS = [
    "The quick brown fox jumps over the lazy dog.", "What is the capital of France? Paris.", "user assistant system",
    "A plugin is static first: its manifest says everything.", "0123456789 + - * / = ( )", "naïve café 你好 🙂",
]  # fmt: skip


def tiny_tokenizer() -> Any:
    """A byte-level BPE tokenizer of a few hundred tokens with a ChatML template; every text round-trips."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_CORPUS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token="<|endoftext|>"
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def tiny_model(directory: Path, *, family: str = "llama", seed: int = 0, **overrides: Any) -> Path:
    """Write a two-layer model of `family` (``llama``, ``qwen2``, ``qwen3``, ``mistral``, ``gemma2``) with its tokenizer as ``model/hf``.

    Args:
        overrides: values for its configuration, e.g. ``tie_word_embeddings=True``.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tiny_tokenizer()
    sizes = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 512, "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "tie_word_embeddings": False,
    }  # fmt: skip
    config = AutoConfig.for_model(family, **(sizes | overrides))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    directory = Path(directory)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def tiny_encoder(directory: Path, *, family: str = "bert", kind: str = "AutoModelForMaskedLM", seed: int = 0, **overrides: Any) -> Path:
    """Write a two-layer encoder of `family` (``bert``, ``roberta``, ``modernbert``, ``deberta-v2`` ...) with its tokenizer as ``model/hf``.

    Args:
        kind: transformers' automatic class that makes it: the head that it has.
        overrides: values for its configuration, which is without dropout.
    """
    import torch
    import transformers

    tokenizer = tiny_tokenizer()
    sizes: dict[str, Any] = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 96,
        "initializer_range": 0.2, "vocab_size": len(tokenizer), "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    config = transformers.AutoConfig.for_model(family, **(sizes | overrides))
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, float):
            setattr(config, name, 0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, kind).from_config(config, dtype=torch.float32)
    directory = Path(directory)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory
