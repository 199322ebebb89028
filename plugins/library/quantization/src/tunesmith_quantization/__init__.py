"""What quantizers share: settings and estimates of quantizing layer by layer, what is refused before the work, rows to calibrate on.

For plugins that bring quantizers; it brings no capability of its own. Importing it imports no torch: `calibration`, `checkpoint` and
`llm_compressor` do, and are imported where a model is quantized.
"""

from tunesmith_quantization.estimate import Sizes, layerwise, packed_size
from tunesmith_quantization.experts import refuse_experts
from tunesmith_quantization.settings import group_size_setting, length_setting, rows_setting
from tunesmith_quantization.use import by_size, require_rows

__all__ = [
    "Sizes", "by_size", "group_size_setting", "layerwise", "length_setting", "packed_size", "refuse_experts", "require_rows",
    "rows_setting",
]  # fmt: skip
