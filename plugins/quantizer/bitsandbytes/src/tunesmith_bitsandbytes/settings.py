"""Settings of the quantizer `bitsandbytes`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class BitsAndBytesSettings:
    type: str = setting(
        "nf4", "how weights are kept: 4 bits with levels as a normal distribution has them, 4 bits of floating point, or 8 bits",
        choices=("nf4", "fp4", "int8"),
    )  # fmt: skip
    double_quant: bool = setting(True, "quantize the scales of 4-bit weights, too: 0.4 bits a weight less")
    dtype: str = setting(
        "bfloat16", "numbers to compute in, and to keep what is not quantized in", choices=("bfloat16", "float16", "float32")
    )
    skip: list[str] = setting(
        [], "modules to leave as they are besides the output head, by the end of their names", examples=(["down_proj"],)
    )
