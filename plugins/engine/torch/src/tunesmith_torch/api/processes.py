"""Processes of a step that talk by `torch.distributed`: how one joins the others."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.processes import join

__all__ = ["join"]

__getattr__ = exports(__name__, {"join": "tunesmith_torch.training.processes"})
