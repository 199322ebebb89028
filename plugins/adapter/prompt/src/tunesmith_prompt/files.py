"""PEFT's files of what stands before a sequence: ``prompt_embeddings`` in ``adapter_model.safetensors``, and ``adapter_config.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith.contracts import UserError

CONFIG, WEIGHTS, KEY = "adapter_config.json", "adapter_model.safetensors", "prompt_embeddings"


def write(directory: Path, peft_type: str, values: torch.Tensor, **config: Any) -> None:
    """Save `values` (tokens, width) in float32; PEFT loads the directory as its own."""
    save_file({KEY: values.detach().float().cpu().contiguous()}, directory / WEIGHTS, metadata={"format": "pt"})
    written = {
        "peft_type": peft_type, "task_type": "CAUSAL_LM", "base_model_name_or_path": "", "inference_mode": True,
        "num_virtual_tokens": len(values), "num_transformer_submodules": 1, **config,
    }  # fmt: skip
    (directory / CONFIG).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def read(directory: Path, peft_type: str, width: int) -> torch.Tensor:
    """(tokens, width) float32.

    Raises:
        UserError: TS-TRAIN-044 when it is no adapter of this type, or of another model.
    """
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
        values = load_file(directory / WEIGHTS).get(KEY)
    except (OSError, ValueError) as error:
        raise misfit(directory, f"It can't be read: {error}.") from error
    if config.get("peft_type") != peft_type:
        raise misfit(directory, f"Its peft_type is {config.get('peft_type')!r}, not {peft_type!r}.")
    if values is None or values.ndim != 2 or values.shape[1] != width:
        raise misfit(directory, f"It has {values.shape[1] if values is not None else 'no'} numbers for each token, the model {width}.")
    return values.float()


def misfit(directory: Path, reason: str) -> UserError:
    return UserError(
        "TS-TRAIN-044", f"What {directory.name} puts before a sequence does not fit the model", why=reason,
        fix="Give the base model that it was trained on, and the adapter that trained it.",
    )  # fmt: skip
