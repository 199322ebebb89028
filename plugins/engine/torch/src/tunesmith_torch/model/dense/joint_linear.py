"""Linear layers that read the same input, as one: their matrices lie one after the other in memory, their updates side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch

from tunesmith_torch.model.low_rank import LowRank, Update


class Joint(NamedTuple):
    """``y = W x + bias + B A x``; `a` is (R, in) and `b` (out, R), with the scale in it; both None where there is no update."""

    weight: torch.Tensor
    bias: torch.Tensor | None
    a: torch.Tensor | None
    b: torch.Tensor | None


def joint(modules: Sequence[torch.nn.Module], dtype: torch.dtype) -> Joint | None:
    """`modules` as one; None if one of them trains, is of another type, or does more than a frozen matrix and a low-rank update."""
    bases: list[torch.nn.Linear] = []
    updates: list[Update | None] = []
    for module in modules:
        if type(module) is torch.nn.Linear:
            bases.append(module)
            updates.append(None)
        elif isinstance(module, LowRank) and module.plain and type(module.base) is torch.nn.Linear:
            bases.append(module.base)
            updates.append(module.low_rank())
        else:
            return None
    weights, biases = [base.weight for base in bases], [base.bias for base in bases if base.bias is not None]
    if any(value.requires_grad or value.dtype != dtype for value in (*weights, *biases)) or len(biases) not in (0, len(bases)):
        return None
    bias = torch.cat([base.bias for base in bases]) if biases else None
    given = [update for update in updates if update is not None]
    if not given:
        return Joint(_adjoining(weights), bias, None, None)
    a = given[0].a if len(given) == 1 else torch.cat([update.a for update in given])
    return Joint(_adjoining(weights), bias, a, _blocks(weights, updates))


def _adjoining(weights: Sequence[torch.nn.Parameter]) -> torch.Tensor:
    """The matrices as one: a view, for which they are moved together at the first call."""
    if len(weights) == 1:
        return weights[0]
    if not all(_follows(one, other) for one, other in pairwise(weights)):
        together = torch.cat([weight.detach() for weight in weights])
        for weight, part in zip(weights, together.split([len(weight) for weight in weights]), strict=True):
            weight.data = part
    first = weights[0].detach()
    return first.as_strided((sum(len(weight) for weight in weights), first.shape[1]), first.stride(), first.storage_offset())


def _follows(one: torch.Tensor, other: torch.Tensor) -> bool:
    same = one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
    return same and one.is_contiguous() and other.is_contiguous() and other.storage_offset() == one.storage_offset() + one.numel()


def _blocks(weights: Sequence[torch.Tensor], updates: Sequence[Update | None]) -> torch.Tensor:
    """The updates' B down the diagonal, each times its scale; nothing where there is no update."""
    if len(updates) == 1 and updates[0] is not None:
        return updates[0].b * updates[0].scale
    blocks = [
        weight.new_zeros(len(weight), 0, dtype=torch.float32) if update is None else update.b * update.scale
        for weight, update in zip(weights, updates, strict=True)
    ]
    return torch.block_diag(*blocks)
