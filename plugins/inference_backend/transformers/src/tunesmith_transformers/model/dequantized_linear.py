"""4-bit weights on a processor: dequantized once where memory is plenty.

bitsandbytes has a kernel for AVX-512 with bfloat16, as fast as weights of 16 bits for one token and three times slower for 32 of them or
for prompts; on other processors every step dequantizes everything.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

PLENTY = 4  # times what the dequantized weights take has to be free


def dequantize(model: torch.nn.Module, cache: float) -> tuple[int, str]:
    """Replace the model's 4-bit layers on a processor by ordinary ones, in place. Call it before a first forward pass.

    Args:
        cache: bytes that keys and values may take beside them.

    Returns:
        how many layers, and the reason for that; empty where there are none.
    """
    layers = [(name, layer) for name, layer in model.named_modules() if _in_4_bits(layer)]
    if not layers:
        return 0, ""
    dtype = model.get_input_embeddings().weight.dtype  # type: ignore[operator]
    needed = sum(layer.in_features * layer.out_features for _, layer in layers) * dtype.itemsize
    free = free_memory()
    if free < PLENTY * needed + cache:
        there = f"{free / 2**30:.2g} GiB are free" if free >= 0 else "it is not known how much is free"
        return 0, f"once takes {needed / 2**30:.2g} GiB, the cache up to {cache / 2**30:.2g}, and {there}"
    from bitsandbytes.functional import dequantize_4bit

    for name, layer in layers:
        with torch.device("meta"):
            plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, dtype=dtype)
        weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).to(dtype)
        plain.weight = torch.nn.Parameter(weight.view(layer.out_features, layer.in_features), requires_grad=False)
        if layer.bias is not None:
            plain.bias = torch.nn.Parameter(layer.bias.data.to(dtype), requires_grad=False)
        model.set_submodule(name, plain)
    return len(
        layers
    ), f"steps of several answers are up to three times faster, and {needed / 2**30:.2g} GiB of {free / 2**30:.2g} are little"


def _in_4_bits(layer: torch.nn.Module) -> bool:
    library: Any = sys.modules.get("bitsandbytes")  # where it was not imported no layer is of its type
    return library is not None and isinstance(layer, library.nn.Linear4bit) and layer.weight.device.type == "cpu"


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that this process may still take: of the machine, and of the control groups that it is in; -1 where that is not known."""
    try:
        lines = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
        own = (root / "proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
    except (OSError, KeyError, ValueError):
        return -1
    top = root / "sys/fs/cgroup"
    for group in (top / own, *(top / own).parents):
        try:
            free = min(free, int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
        except (OSError, ValueError):  # no such group, or ``max``
            continue
    return free
