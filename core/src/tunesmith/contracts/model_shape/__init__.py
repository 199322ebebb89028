"""Sizes of a decoder-only transformer, and what it takes beside text, from its configuration alone."""

from tunesmith.contracts.model_shape.modalities import takes
from tunesmith.contracts.model_shape.shape import Linear, ModelShape

__all__ = ["Linear", "ModelShape", "takes"]
