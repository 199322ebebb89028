"""Sizes of a decoder-only transformer, from its configuration alone."""

from tunesmith.contracts.model_shape.shape import Linear, ModelShape

__all__ = ["Linear", "ModelShape"]
