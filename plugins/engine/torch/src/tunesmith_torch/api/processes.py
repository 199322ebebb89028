"""Processes of a step that talk by `torch.distributed`: what strategies of them build on."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.process_backends import check_backend
    from tunesmith_torch.training.processes import ProcessGroup, join

__all__ = ["ProcessGroup", "check_backend", "join"]

_PLACE = "tunesmith_torch.training.processes"
__getattr__ = exports(__name__, {"ProcessGroup": _PLACE, "join": _PLACE, "check_backend": "tunesmith_torch.training.process_backends"})
