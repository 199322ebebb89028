"""Linear layers that read the same input, as one: their matrices lie one after the other in memory, their updates side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from tunesmith_torch.model.low_rank import KeptMatrix, LowRank, Update


@dataclass(frozen=True)
class Joint:
    """``y = W x + bias + B A x``; `a` is (R, in) and `b` (out, R), with the scale in it; both None where there is no update.

    Args:
        layers: in the order of their rows: parameters that lie one after the other, or layers that give their matrix when it is asked for.
        trains: whether the parameters train; then they may be of another type than what is computed in.
        dtype: that is computed in.
    """

    layers: tuple[Any, ...]
    trains: bool
    dtype: torch.dtype
    bias: torch.Tensor | None
    a: torch.Tensor | None
    b: torch.Tensor | None

    @property
    def parameters(self) -> tuple[torch.nn.Parameter, ...]:
        """Those that train."""
        return self.layers if self.trains else ()

    def weight(self) -> torch.Tensor:
        """W (out, in) in the type that is computed in, without a gradient."""
        if isinstance(self.layers[0], torch.nn.Parameter):
            return _adjoining(self.layers).to(self.dtype)
        given = [layer.matrix(self.dtype) for layer in self.layers]
        return given[0] if len(given) == 1 else torch.cat(given)

    @property
    def kept(self) -> bool:
        """Whether W lies there as it is, so that to keep it for the backward pass costs nothing; else it is made anew there, or, of
        parameters that train in another type, the one that the forward pass made."""
        return isinstance(self.layers[0], torch.nn.Parameter)


def joint(modules: Sequence[torch.nn.Module], dtype: torch.dtype) -> Joint | None:
    """`modules` as one; None if one of them does more than a matrix and a low-rank update, or some train and others don't."""
    bases: list[Any] = []
    updates: list[Update | None] = []
    for module in modules:
        if type(module) is not torch.nn.Linear and isinstance(module, LowRank):
            if not module.plain:
                return None
            bases.append(module.base)
            updates.append(module.low_rank())
        else:
            bases.append(module)
            updates.append(None)
    layers = _matrices(bases, dtype)
    if layers is None:
        return None
    biases = [base.bias for base in bases if base.bias is not None]
    if len(biases) not in (0, len(bases)) or any(not bias.requires_grad and bias.dtype != dtype for bias in biases):
        return None
    trains = isinstance(layers[0], torch.nn.Parameter) and layers[0].requires_grad
    bias = torch.cat(biases).to(dtype) if biases else None
    given = [update for update in updates if update is not None]
    if not given:
        return Joint(layers, trains, dtype, bias, None, None)
    a = given[0].a if len(given) == 1 else torch.cat([update.a for update in given])
    outputs = [base.out_features for base in bases]
    return Joint(layers, trains, dtype, bias, a, _blocks(outputs, updates, given[0].b.device))


def _matrices(bases: Sequence[Any], dtype: torch.dtype) -> tuple[Any, ...] | None:
    """What `Joint.layers` has; None where they are not of one sort, or somebody listens to one."""
    if any(base._forward_hooks or base._forward_pre_hooks for base in bases):
        return None
    if all(type(base) is torch.nn.Linear for base in bases):
        weights = tuple(base.weight for base in bases)
        train = {weight.requires_grad for weight in weights}
        alike = len(train) == 1 and len({weight.dtype for weight in weights}) == 1
        return weights if alike and (train == {True} or weights[0].dtype == dtype) else None
    if all(type(base) is not torch.nn.Linear and isinstance(base, KeptMatrix) for base in bases):
        return tuple(bases)
    return None


def _adjoining(weights: Sequence[torch.nn.Parameter]) -> torch.Tensor:
    """The matrices as one: a view, for which they are moved together at the first call."""
    if len(weights) == 1:
        return weights[0].detach()
    if not all(_follows(one, other) for one, other in pairwise(weights)):
        together = torch.cat([weight.detach() for weight in weights])
        for weight, part in zip(weights, together.split([len(weight) for weight in weights]), strict=True):
            weight.data = part
    first = weights[0].detach()
    return first.as_strided((sum(len(weight) for weight in weights), first.shape[1]), first.stride(), first.storage_offset())


def _follows(one: torch.Tensor, other: torch.Tensor) -> bool:
    same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    return same and one.is_contiguous() and other.is_contiguous() and other.storage_offset() == one.storage_offset() + one.numel()


def _blocks(outputs: Sequence[int], updates: Sequence[Update | None], device: torch.device) -> torch.Tensor:
    """The updates' B down the diagonal, each times its scale; nothing where there is no update."""
    if len(updates) == 1 and updates[0] is not None:
        return updates[0].b * updates[0].scale
    blocks = [
        torch.zeros(rows, 0, device=device) if update is None else update.b * update.scale
        for rows, update in zip(outputs, updates, strict=True)
    ]
    return torch.block_diag(*blocks)
