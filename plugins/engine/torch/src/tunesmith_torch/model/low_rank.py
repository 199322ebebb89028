"""Layers that add a low-rank update to a linear one: what an adapter's layer offers so that the engine may run several of them as one."""

from __future__ import annotations

from typing import NamedTuple, Protocol, runtime_checkable

import torch


class Update(NamedTuple):
    """``scale * B A x``, with A (r, in) and B (out, r)."""

    a: torch.Tensor
    b: torch.Tensor
    scale: float


@runtime_checkable
class LowRank(Protocol):
    """A layer that computes ``base(x)``, and what `low_rank` says on top."""

    base: torch.nn.Linear

    @property
    def plain(self) -> bool:
        """Whether that is all that it does (no dropout, say)."""

    def low_rank(self) -> Update | None:
        """The update as it is now; None while it is switched off."""
