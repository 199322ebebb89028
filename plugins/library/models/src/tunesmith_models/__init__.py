"""A model's files without a framework: sizes from its configuration, types of numbers, weights that are read whole. Standard library only.

For plugins that estimate, load, quantize or convert models; it brings no capability of its own.
"""

from tunesmith_models.dtypes import BYTES, compute_type, stored_type
from tunesmith_models.modalities import check_media, takes
from tunesmith_models.model_directory import configuration
from tunesmith_models.model_size import Linear, ModelShape

__all__ = ["BYTES", "Linear", "ModelShape", "check_media", "compute_type", "configuration", "stored_type", "takes"]
