"""What trains, by name: the state that strategies put into checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch


def trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    """The parameters that train, by name, each once."""
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


def named_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, torch.Tensor]]:
    """``{"model": {name: values}, "optimizer": {"name/key": values}}`` of what trains."""
    values = {name: parameter.detach() for name, parameter in trained(model)}
    moments = {}
    for name, parameter in trained(model):
        for key, value in optimizer.state.get(parameter, {}).items():
            moments[f"{name}/{key}"] = torch.as_tensor(value)
    return {"model": values, "optimizer": moments}


@torch.no_grad()
def load_named_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, dict[str, torch.Tensor]]) -> None:
    """The inverse of `named_state`.

    Raises:
        ValueError: the state is of other parameters.
    """
    parameters = dict(trained(model))
    if parameters.keys() != state["model"].keys():
        raise ValueError("the state is of a model whose trained parameters have other names")
    for name, parameter in parameters.items():
        parameter.copy_(state["model"][name])
    moments: dict[torch.nn.Parameter, dict[str, Any]] = {}
    for entry, value in state["optimizer"].items():
        name, _, key = entry.rpartition("/")
        parameter = parameters[name]
        moved = value if key == "step" and not _capturable(optimizer) else value.to(parameter.device)
        moments.setdefault(parameter, {})[key] = moved.clone()
    optimizer.state.clear()
    optimizer.state.update(moments)


def _capturable(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the step counter lives on the device, beside the moments."""
    return any(group.get("capturable") or group.get("fused") for group in optimizer.param_groups)
