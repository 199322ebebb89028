"""All planted faults and harmless changes, by name."""

from . import adapter_faults, config_faults, harmless_files, harmless_weights, quantization_faults, tensor_faults, tokenizer_faults  # noqa: F401
from .case import FAULTS, HARMLESS

__all__ = ["FAULTS", "HARMLESS"]
