"""Models of random weights, in real shapes where the device is a GPU, and rows for them; nothing is downloaded."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

#: As in the models' own configurations; the second with 12 of its 36 layers, so that it is made in seconds.
SHAPES: dict[str, dict[str, Any]] = {
    "qwen3-0.6b": {
        "model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28, "intermediate_size": 3072, "num_attention_heads": 16,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": True,
    },
    "qwen3-4b-12-layers": {
        "model_type": "qwen3", "hidden_size": 2560, "num_hidden_layers": 12, "intermediate_size": 9728, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": True,
    },
    "tiny": {
        "model_type": "qwen3", "hidden_size": 128, "num_hidden_layers": 2, "intermediate_size": 256, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 32, "vocab_size": 2048, "tie_word_embeddings": True,
    },
}  # fmt: skip
_REST = {"max_position_embeddings": 4096, "rope_parameters": {"rope_type": "default", "rope_theta": 1e6}, "rms_norm_eps": 1e-6}
WORDS = ("alpha", "river", "seven", "stone", "window", "quiet", "copper", "orchard", "lantern", "paper")


def made(name: str, folder: Path, device: torch.device, dtype: str = "bfloat16") -> Path:
    """The directory of the model `name` below `folder`, made once, on `device`, for a GPU draws numbers faster."""
    target = folder / f"{name}-{dtype}"
    if target.exists():
        return target
    from transformers import AutoConfig, AutoModelForCausalLM

    from tunesmith_sdk.tiny_models import tiny_tokenizer

    tokenizer = tiny_tokenizer()
    ends = {f"{end}_token_id": getattr(tokenizer, f"{end}_token_id") for end in ("bos", "eos", "pad")}
    config = AutoConfig.for_model(**_REST | SHAPES[name] | ends)
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))
    aside = folder / f"{name}.new"
    model.save_pretrained(aside)
    tokenizer.save_pretrained(aside)
    return aside.rename(target)


def conversations(count: int, *, shortest: int, longest: int, question: float = 0.3, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Questions and answers of words drawn at random; lengths as conversations have them, most short and some long.

    Args:
        shortest, longest: of a row, in characters; a token is one or two of them.
        question: its share of the row.
    """
    draw = random.Random(seed)
    for _ in range(count):
        middle = math.sqrt(shortest * longest)
        size = min(longest, max(shortest, int(draw.lognormvariate(math.log(middle), 0.8))))
        asked = int(size * question)
        yield {"messages": [_turn("user", _text(draw, asked)), _turn("assistant", _text(draw, size - asked))]}


def preferences(count: int, *, longest: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Prompts with a better and a worse answer."""
    draw = random.Random(seed)
    for _ in range(count):
        chosen, rejected = (_text(draw, draw.randint(10, longest // 2)) for _ in range(2))
        prompt = [_turn("user", _text(draw, longest // 2))]
        yield {"messages": prompt, "chosen": [_turn("assistant", chosen)], "rejected": [_turn("assistant", rejected)]}


def written(rows: Iterator[dict[str, Any]], folder: Path) -> Path:
    """`folder`, with the rows in it as a data set's artifact has them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def _turn(role: str, text: str) -> dict[str, Any]:
    from tunesmith_data.api import message

    return message(role, text)


def _text(draw: random.Random, characters: int) -> str:
    text = ""
    while len(text) < characters:
        text += draw.choice(WORDS) + " "
    return text[: max(1, characters)]
