"""What the conformance kit can't know: checkpoints in AutoGPTQ's packing, which transformers computes with on GPUs alone.

Written and read here by the layout's definition: eight values of 4 bits in an int32, weights one below the other, zeros (less one) side by
side; w = scale_g (q - zero_g), with the group g of each column in `g_idx`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tunesmith_models.model_directory import copy_beside, older_view

GROUP, PACKED = 32, ("qweight", "qzeros", "scales", "g_idx")


def source(case: Any) -> str | None:
    """For the exporter: the tiny model's matrices, rounded."""
    if case.kind != "exporter":
        return None
    older = older_view(case.material("taught"), case.directory.with_name("older"))
    tensors: dict[str, torch.Tensor] = {}
    for name, tensor in load_file(older / "model.safetensors").items():
        if "_proj" in name:
            tensors |= {name.replace("weight", part): value for part, value in zip(PACKED, _rounded(tensor), strict=True)}
        else:
            tensors[name] = tensor.half()
    save_file(tensors, case.directory / "model.safetensors", {"format": "pt"})
    packing = {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": False, "sym": False, "checkpoint_format": "gptq"}
    config = json.loads((older / "config.json").read_text("utf-8")) | {"quantization_config": packing}
    (case.directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
    copy_beside(older, case.directory)
    return "model/gptq"


def model(case: Any, directory: Path) -> Any:
    """What such a checkpoint computes."""
    from transformers import AutoConfig, AutoModelForCausalLM

    tensors = load_file(Path(directory) / "model.safetensors")
    for name in [name.removesuffix(".qweight") for name in tensors if name.endswith(".qweight")]:
        packed, zeros, scales, group = (tensors.pop(f"{name}.{part}") for part in PACKED)
        values = _unpacked(packed.T).T - (_unpacked(zeros) + 1)[group.long()]
        tensors[f"{name}.weight"] = (values * scales.float()[group.long()]).T
        if not tensors.get(f"{name}.bias", torch.ones(1)).any():
            del tensors[f"{name}.bias"]  # the library gives a matrix without one a bias of zeros
    config = AutoConfig.from_pretrained(directory)
    del config.quantization_config
    built = AutoModelForCausalLM.from_config(config).float()
    built.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return built


def _rounded(weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A matrix (rows, columns) as packed values, packed zeros and scales, each (columns or groups, rows), and the groups of columns."""
    groups = weight.T.reshape(-1, GROUP, weight.shape[0])
    low, high = groups.amin(1, keepdim=True).clamp(max=0), groups.amax(1, keepdim=True).clamp(min=0)
    scales = ((high - low) / 15).half()
    zeros = (-low / scales).round().clamp(1, 15)
    values = (groups / scales + zeros).round().clamp(0, 15).flatten(0, 1)
    group = torch.arange(len(values), dtype=torch.int32) // GROUP
    return _packed(values.T).T.contiguous(), _packed(zeros.squeeze(1) - 1), scales.squeeze(1).contiguous(), group


def _packed(values: torch.Tensor) -> torch.Tensor:
    each = values.long().reshape(values.shape[0], -1, 8)
    return (each << torch.arange(0, 32, 4)).sum(-1).to(torch.int32)  # the highest bit is the sign's


def _unpacked(packed: torch.Tensor) -> torch.Tensor:
    return ((packed.unsqueeze(-1) >> torch.arange(0, 32, 4)) & 15).flatten(1)
