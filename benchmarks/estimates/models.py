"""Models to measure with: SmolLM2-135M, and others of random weights made from the configurations here, with its tokenizer."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from smollm2 import smollm2

SMOLLM2 = "smollm2"
_SIZES = {"vocab_size": 49152, "max_position_embeddings": 4096, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2}
CONFIGS: dict[str, dict[str, Any]] = {
    "llama-350m": {
        "model_type": "llama", "hidden_size": 1024, "num_hidden_layers": 24, "intermediate_size": 2816, "num_attention_heads": 16,
        "num_key_value_heads": 4,
    },
    "qwen3-200m": {
        "model_type": "qwen3", "hidden_size": 768, "num_hidden_layers": 16, "intermediate_size": 2304, "num_attention_heads": 12,
        "num_key_value_heads": 4, "head_dim": 64,
    },
    "gemma2-160m": {
        "model_type": "gemma2", "hidden_size": 640, "num_hidden_layers": 12, "intermediate_size": 2560, "num_attention_heads": 8,
        "num_key_value_heads": 2, "head_dim": 80, "query_pre_attn_scalar": 80, "sliding_window": 1024,
    },
    "qwen2-wide": {
        "model_type": "qwen2", "hidden_size": 1536, "num_hidden_layers": 4, "intermediate_size": 6144, "num_attention_heads": 12,
        "num_key_value_heads": 2, "tie_word_embeddings": False, "vocab_size": 120000,
    },
    "granite-140m": {
        "model_type": "granite", "hidden_size": 640, "num_hidden_layers": 20, "intermediate_size": 1792, "num_attention_heads": 10,
        "num_key_value_heads": 5,
    },
}  # fmt: skip


def model(name: str, folder: Path) -> Path:
    """The directory of the model `name` below `folder`, made once, its weights in bfloat16."""
    if name == SMOLLM2:
        return smollm2(folder)
    target = folder / name
    if (target / "config.json").exists():
        return target
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(**_SIZES | CONFIGS[name])
    aside = folder / f"{name}.new"
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(aside)
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(smollm2(folder) / file, aside / file)
    return aside.rename(target)


if __name__ == "__main__":
    print(json.dumps({name: str(model(name, Path(sys.argv[1]))) for name in (SMOLLM2, *CONFIGS)}))
