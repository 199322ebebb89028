"""Stage 3: parameters in pieces, from the values that the first rank has read."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

from tunesmith.contracts import ModelSource, UserError
from tunesmith.contracts.kinds.trainer_strategy import OptimizerOf


@torch.no_grad()
def partitioned(source: ModelSource, build: OptimizerOf, init: Any, device: torch.device, *, first: bool) -> tuple[Any, Any]:
    """The model with a piece of every parameter on each rank, and an optimizer over it.

    The optimizer is made before the parameters are divided, while they have their shapes. None but the first rank ever holds more than one
    whole parameter.

    Args:
        init: a `deepspeed.zero.Init`.

    Raises:
        UserError: TS-TRAIN-066 for a quantized model.
    """
    model = source.load("cpu", separate=True) if first else source.empty()
    if packed := next((name for name, parameter in model.named_parameters() if not parameter.is_floating_point()), ""):
        raise UserError(
            "TS-TRAIN-066", f"`{packed}` is kept in fewer bits, and stage 3 of `deepspeed` divides matrices of floating-point numbers",
            fix="Train on the model before it was quantized, or use the strategy `single` or `ddp`.",
        )  # fmt: skip
    optimizer = build(model)
    done: dict[torch.nn.Parameter, torch.nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is None:
                continue
            if parameter not in done:
                done[parameter] = _with_memory(parameter)
                init._convert_to_zero_parameters([done[parameter]])  # sends the first rank's values and keeps this one's piece
            module._parameters[name] = done[parameter]
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                sent = buffer.to(device) if first else torch.empty(buffer.shape, dtype=buffer.dtype, device=device)
                dist.broadcast(sent, src=0)
                module._buffers[name] = sent
    for group in optimizer.param_groups:
        group["params"] = [done[parameter] for parameter in group["params"]]
    return model, optimizer


def _with_memory(parameter: torch.nn.Parameter) -> torch.nn.Parameter:
    if parameter.device.type != "meta":
        return parameter
    return torch.nn.Parameter(torch.empty(parameter.shape, dtype=parameter.dtype), requires_grad=parameter.requires_grad)
