"""Models: loading one, and the log-probabilities of packed sequences."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.data.multimodal.detection import encodes
    from tunesmith_torch.data.packing import Packed, pack
    from tunesmith_torch.model.loader import load_model
    from tunesmith_torch.model.log_probs import label_log_probs
    from tunesmith_torch.model.multimodal import model_class

__all__ = ["Packed", "encodes", "label_log_probs", "load_model", "model_class", "pack"]

__getattr__ = exports(
    __name__,
    {
        "encodes": "tunesmith_torch.data.multimodal.detection",
        "load_model": "tunesmith_torch.model.loader",
        "Packed": "tunesmith_torch.data.packing",
        "pack": "tunesmith_torch.data.packing",
        "label_log_probs": "tunesmith_torch.model.log_probs",
        "model_class": "tunesmith_torch.model.multimodal",
    },
)
