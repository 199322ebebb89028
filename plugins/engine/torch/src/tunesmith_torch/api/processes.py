"""Processes of a step that talk by `torch.distributed`: what strategies of them build on."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.processes import ProcessGroup, join

__all__ = ["ProcessGroup", "join"]

__getattr__ = exports(__name__, dict.fromkeys(__all__, "tunesmith_torch.training.processes"))
