"""Settings of the adapter `qlora`: those of `lora`, and how the base is kept."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_lora.api import LoraSettings


@dataclass(frozen=True)
class QloraSettings(LoraSettings):
    bnb_4bit_quant_type: str = setting(
        "nf4", "how the base's matrices are kept: 4 bits with levels as a normal distribution has them (nf4), or 4 bits of floating point "
        "(fp4). A base that is stored in 4 bits stays as it is", choices=("nf4", "fp4"), aliases=("quant_type",),
    )  # fmt: skip
    bnb_4bit_use_double_quant: bool = setting(
        True, "quantize the scales of the 4-bit weights, too: 0.4 bits a weight less", aliases=("double_quant", "double_quantization")
    )
    merge_into: str = setting(
        "dequantized", "what a merge folds the update into. dequantized: the 4-bit base as it was trained on, so that the result answers "
        "as the trained model does and keeps the rounding of 4 bits. full: the base's own weights, without that rounding, beside which the "
        "update was not trained: measure which is better", choices=("dequantized", "full"),
    )  # fmt: skip
