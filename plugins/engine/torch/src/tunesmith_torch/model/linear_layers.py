"""What of a model multiplies: its linear layers, however they keep their matrix, and experts that share one parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


def linears(model: torch.nn.Module) -> dict[str, Any]:
    """Every linear layer by name: torch's, and those that keep their matrix as (in, out), as GPT-2's do (transformers' `Conv1D`)."""
    return {name: module for name, module in model.named_modules() if _multiplies(module) or transposed(module)}


def _multiplies(layer: Any) -> bool:
    """Whether it is a linear layer, and none of a model's own that gives something else than a product, as Llama 4's router does."""
    if not isinstance(layer, torch.nn.Linear):
        return False
    kind = type(layer)
    if kind.forward is torch.nn.Linear.forward or not kind.__module__.startswith("transformers.models."):
        return True
    with torch.no_grad():
        return isinstance(layer(layer.weight.new_zeros(1, layer.in_features)), torch.Tensor)


def transposed(layer: Any) -> bool:
    """Whether a linear layer keeps its matrix as (in, out)."""
    return type(layer).__name__ == "Conv1D" and type(layer).__module__ == "transformers.pytorch_utils"


def sizes(layer: Any) -> tuple[int, int]:
    """(in, out) of a linear layer."""
    if transposed(layer):
        inputs, outputs = layer.weight.shape
        return inputs, outputs
    return layer.in_features, layer.out_features


def upright(layer: Any) -> torch.Tensor:
    """(out, in): a linear layer's matrix, a view of it."""
    weight = layer.weight.detach()
    return weight.t() if transposed(layer) else weight


@dataclass(frozen=True)
class Stack:
    """The matrices of one kind of a layer's experts, kept as one parameter of three dimensions.

    Args:
        owner: name of the module that has the parameter.
        parameter: its name there.
        module: that module.
    """

    owner: str
    parameter: str
    module: torch.nn.Module

    @property
    def weight(self) -> torch.nn.Parameter:
        return getattr(self.module, self.parameter)

    @property
    def transposed(self) -> bool:
        """Whether each matrix is kept as (in, out)."""
        return bool(getattr(self.module, "is_transposed", False))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """(experts, in, out)."""
        experts, first, second = self.weight.shape
        return (experts, first, second) if self.transposed else (experts, second, first)


def stacks(model: torch.nn.Module) -> dict[str, Stack]:
    """By the parameter's whole name, in the model's order."""
    found = {}
    for owner, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.ndim == 3 and getattr(module, "num_experts", None) == len(parameter):
                found[f"{owner}.{name}"] = Stack(owner, name, module)
    return found
