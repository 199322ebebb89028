"""Weights of the tiny model as a training step would give them to its sampler, and what the model says with each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POLICIES = ("one", "two")  #: folders of adapters
WHOLE = "-whole"  #: behind a name: the folder of the model with that adapter merged
TOLD = "told.json"
#: token ids that the model was not taught, so that it is sure of nothing behind them
PROMPTS = ([1, 40, 41, 42, 43], [1, 150, 151, 60])
TEMPERATURE = 0.8
RANK, ALPHA = 4, 8.0
STRENGTH = 1.5  # of what an adapter adds, as a multiple of the weights' own size: no rounding of an engine is as much
_LAYERS = ("q_proj", "v_proj", "down_proj")


def write(taught: Path, directory: Path) -> None:
    """The adapters, each in a folder of its own, the merged models beside them, and `TOLD`: token ids of prompts, the tokens that end an
    answer, and by adapter the log-probability of each token after each prompt at `TEMPERATURE`, which is computed with the merged weights
    by transformers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ends = [AutoTokenizer.from_pretrained(taught).eos_token_id]
    told: dict[str, Any] = {"prompts": PROMPTS, "ends": ends, "log_probs": {}}
    for seed, name in enumerate(POLICIES, 1):
        model = AutoModelForCausalLM.from_pretrained(taught, dtype=torch.float32)
        _save(_added(model, torch.Generator().manual_seed(seed)), directory / name)
        model.save_pretrained(directory / f"{name}{WHOLE}")
        with torch.no_grad():
            logits = [model(torch.tensor([prompt])).logits[0, -1] / TEMPERATURE for prompt in PROMPTS]
        told["log_probs"][name] = [torch.log_softmax(one, 0).tolist() for one in logits]
    (directory / TOLD).write_text(json.dumps(told), encoding="utf-8")


def _added(model: Any, drawn: Any) -> dict[str, Any]:
    """An adapter's tensors by their names in PEFT; the model's weights have what they add."""
    import torch

    tensors = {}
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in _LAYERS:
            outputs, inputs = module.weight.shape
            down, up = torch.randn(RANK, inputs, generator=drawn), torch.randn(outputs, RANK, generator=drawn)
            up *= STRENGTH * float(module.weight.norm() / (up @ down).norm()) * RANK / ALPHA
            module.weight.data += ALPHA / RANK * (up @ down)
            tensors |= {f"base_model.model.{name}.lora_A.weight": down, f"base_model.model.{name}.lora_B.weight": up}
    return tensors


def _save(tensors: dict[str, Any], folder: Path) -> None:
    from safetensors.torch import save_file

    folder.mkdir()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA, "lora_dropout": 0.0, "bias": "none",
        "target_modules": list(_LAYERS), "base_model_name_or_path": None, "inference_mode": True, "init_lora_weights": True,
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
