"""Values of a sharded model's parameters and buffers, from the first rank to all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.tensor import DTensor, distribute_tensor


@torch.no_grad()
def distribute(model: torch.nn.Module, values: Mapping[str, torch.Tensor], device: torch.device) -> None:
    """Give each rank its piece of every parameter, one parameter after the other, and the whole of every buffer.

    Args:
        values: of the parameters and buffers by name, on the first rank; empty elsewhere, where the model may be on the meta device.
        device: where the pieces are kept.
    """
    done: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
    for prefix, module in model.named_modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is None:
                continue
            if parameter not in done:
                whole = values.get(f"{prefix}.{name}".lstrip("."))
                done[parameter] = torch.nn.Parameter(_pieces(parameter, whole, device), requires_grad=parameter.requires_grad)
            module._parameters[name] = done[parameter]
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = _sent(buffer, values.get(f"{prefix}.{name}".lstrip(".")), device)


def _pieces(parameter: Any, whole: torch.Tensor | None, device: torch.device) -> torch.Tensor:
    mesh = parameter.device_mesh
    on = torch.device(mesh.device_type, device.index) if mesh.device_type != "cpu" else torch.device("cpu")
    whole = whole.to(on) if whole is not None else torch.empty(parameter.shape, dtype=parameter.dtype, device=on)
    sent = distribute_tensor(whole, mesh, parameter.placements)
    if sent.to_local().device == device:
        return sent
    local = sent.to_local().to(device)
    return DTensor.from_local(local, mesh, parameter.placements, run_check=False, shape=parameter.shape, stride=parameter.stride())


def _sent(buffer: torch.Tensor, whole: torch.Tensor | None, device: torch.device) -> torch.Tensor:
    sent = whole.to(device).clone() if whole is not None else torch.empty(buffer.shape, dtype=buffer.dtype, device=device)
    dist.broadcast(sent, src=0)
    return sent
