"""A LoRA adapter in PEFT's layout, of a small Llama model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BASE = {"model_type": "llama", "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 32}
ROWS = {"self_attn.q_proj": 32, "self_attn.k_proj": 16, "mlp.up_proj": 48}


def write_adapter(folder: Path, base: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    """The tensors, by name."""
    import numpy
    from safetensors.numpy import save_file

    random, tensors = numpy.random.default_rng(0), {}
    for module, rows in ROWS.items():
        prefix = f"base_model.model.model.layers.0.{module}"
        tensors[f"{prefix}.lora_A.weight"] = random.normal(size=(4, 32)).astype("float32")
        tensors[f"{prefix}.lora_B.weight"] = random.normal(size=(rows, 4)).astype("float32")
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8, **said}))
    (folder / "config.json").write_text(json.dumps(BASE if base is None else base))
    return tensors
