"""What the conformance kit can't know: a GPTQ checkpoint, which transformers computes with only where GPTQModel is installed.

Read here by the layout's definition: eight values of 4 bits in an int32, weights one below the other, zeros (less one) side by side;
w = scale_g (q - zero_g), with the group g of each column in `g_idx`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

PACKED = ("qweight", "qzeros", "scales", "g_idx")


def model(case: Any, directory: Path) -> Any:
    """What such a checkpoint computes."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tensors, bits = load_file(Path(directory) / "model.safetensors"), case.settings["bits"]
    for name in [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]:
        packed, zeros, scales, group = (tensors.pop(f"{name}.{part}") for part in PACKED)
        values = _unpacked(packed.T, bits).T - (_unpacked(zeros, bits) + 1)[group.long()]
        tensors[f"{name}.weight"] = (values * scales.float()[group.long()]).T
    config = AutoConfig.from_pretrained(directory)
    del config.quantization_config
    built = AutoModelForCausalLM.from_config(config).float()
    built.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return built


def _unpacked(packed: torch.Tensor, bits: int) -> torch.Tensor:
    return ((packed.unsqueeze(-1) >> torch.arange(0, 32, bits)) & (2**bits - 1)).flatten(1)
