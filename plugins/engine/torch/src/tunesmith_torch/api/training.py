"""What strategies of torch modules build on: training by name and micro-batch, what trains, and how state lies in a directory."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.training.checkpoint.state_dict import (
        MODEL,
        OPTIMIZER,
        capturable,
        read_pieces,
        read_state,
        save_pieces,
        trained,
        write_state,
    )
    from tunesmith_torch.training.torch_training import TorchTraining, whole_parameters

__all__ = [
    "MODEL",
    "OPTIMIZER",
    "TorchTraining",
    "capturable",
    "read_pieces",
    "read_state",
    "save_pieces",
    "trained",
    "whole_parameters",
    "write_state",
]

__getattr__ = exports(
    __name__,
    {
        "TorchTraining": "tunesmith_torch.training.torch_training",
        "MODEL": "tunesmith_torch.training.checkpoint.state_dict",
        "OPTIMIZER": "tunesmith_torch.training.checkpoint.state_dict",
        "capturable": "tunesmith_torch.training.checkpoint.state_dict",
        "read_pieces": "tunesmith_torch.training.checkpoint.state_dict",
        "read_state": "tunesmith_torch.training.checkpoint.state_dict",
        "save_pieces": "tunesmith_torch.training.checkpoint.state_dict",
        "trained": "tunesmith_torch.training.checkpoint.state_dict",
        "whole_parameters": "tunesmith_torch.training.torch_training",
        "write_state": "tunesmith_torch.training.checkpoint.state_dict",
    },
)
