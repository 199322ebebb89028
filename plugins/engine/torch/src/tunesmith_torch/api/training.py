"""What strategies of torch modules build on: training by name and micro-batch, and which parameters train."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.checkpoint.state_dict import trained
    from tunesmith_torch.training.torch_training import TorchTraining

__all__ = ["TorchTraining", "trained"]

__getattr__ = exports(
    __name__,
    {
        "TorchTraining": "tunesmith_torch.training.torch_training",
        "trained": "tunesmith_torch.training.checkpoint.state_dict",
    },
)
