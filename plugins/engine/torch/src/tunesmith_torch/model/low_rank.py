"""Layers that the engine runs several of as one: what an adapter's layer offers for it, beside a linear layer of torch's."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch


class Update(NamedTuple):
    """``scale * B A x``, with A (r, in) and B (out, r)."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float


@runtime_checkable
class LowRank(Protocol):
    """A layer that computes ``base(x)``, and what `low_rank` says on top."""

    base: Any

    @property
    def plain(self) -> bool:
        """Whether that is all that it does (no dropout, say)."""

    def low_rank(self) -> Update | None:
        """The update as it is now; None while it is switched off."""


@runtime_checkable
class KeptMatrix(Protocol):
    """A linear layer that keeps its matrix in a way of its own (in fewer bits), and does not train it."""

    bias: torch.Tensor | None

    def matrix(self, dtype: torch.dtype) -> torch.Tensor:
        """(out, in): the matrix as the layer computes with it."""
