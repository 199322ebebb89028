"""What trains, by name, and an optimizer's state under those names: for strategies."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.checkpoint.state_dict import load_named_state, named_state, trained

__all__ = ["load_named_state", "named_state", "trained"]

__getattr__ = exports(
    __name__,
    {
        "trained": "tunesmith_torch.training.checkpoint.state_dict",
        "named_state": "tunesmith_torch.training.checkpoint.state_dict",
        "load_named_state": "tunesmith_torch.training.checkpoint.state_dict",
    },
)
