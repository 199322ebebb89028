"""What the conformance kit can't know: checkpoints in AutoAWQ's packing, which transformers computes with on GPUs alone.

Written and read here by the layout's definition: eight columns of 4 bits in an int32, in the order 0 2 4 6 1 3 5 7; w = scale (q - zero).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith_models.model_directory import copy_beside, older_view

ORDER, GROUP = (0, 2, 4, 6, 1, 3, 5, 7), 32


def source(case: Any) -> str | None:
    """For the exporter: the tiny model's matrices, rounded."""
    if case.kind != "exporter":
        return None
    older = older_view(case.material("taught"), case.directory.with_name("older"))
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in load_file(older / "model.safetensors").items():
        if "_proj" in name:
            parts = zip(("qweight", "qzeros", "scales"), _rounded(tensor), strict=True)
            tensors |= {name.replace("weight", part): value for part, value in parts}
        else:
            tensors[name] = tensor.half()
    save_file(tensors, case.directory / "model.safetensors", {"format": "pt"})
    config = json.loads((older / "config.json").read_text("utf-8"))
    config["quantization_config"] = {"quant_method": "awq", "bits": 4, "group_size": GROUP, "zero_point": True, "version": "gemm"}
    (case.directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    copy_beside(older, case.directory)
    return "model/awq"


def model(case: Any, directory: Path) -> Any:
    """What such a checkpoint computes."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tensors = load_file(Path(directory) / "model.safetensors")
    for name in [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]:
        packed, zeros, scales = (tensors.pop(f"{name}.{part}") for part in ("qweight", "qzeros", "scales"))
        each = packed.shape[0] // scales.shape[0]
        zeros, scales = (of_group.repeat_interleave(each, 0) for of_group in (_unpacked(zeros), scales.float()))
        tensors[f"{name}.weight"] = ((_unpacked(packed) - zeros) * scales).T
    config = AutoConfig.from_pretrained(directory)
    del config.quantization_config
    built = AutoModelForCausalLM.from_config(config).float()
    built.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return built


def _rounded(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A matrix (rows, columns) as packed values, packed zeros and scales, each (columns or groups of them, rows)."""
    groups = weight.T.reshape(-1, GROUP, weight.shape[0])
    low, high = groups.amin(1, keepdim=True).clamp(max=0), groups.amax(1, keepdim=True).clamp(min=0)
    scales = ((high - low) / 15).half()
    zeros = (-low / scales).round().clamp(0, 15)
    values = (groups / scales + zeros).round().clamp(0, 15)
    return _packed(values.flatten(0, 1)), _packed(zeros.squeeze(1)), scales.squeeze(1).contiguous()


def _packed(values: torch.Tensor) -> torch.Tensor:
    ordered = values.long().reshape(values.shape[0], -1, 8)[:, :, ORDER]
    return (ordered << torch.arange(0, 32, 4)).sum(-1).to(torch.int32)  # the highest bit is the sign's


def _unpacked(packed: torch.Tensor) -> torch.Tensor:
    ordered = (packed.unsqueeze(-1) >> torch.arange(0, 32, 4)) & 15
    return ordered[:, :, torch.tensor(ORDER).argsort()].flatten(1)
