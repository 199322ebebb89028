"""Settings of the quantizer `bitsandbytes`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class BitsAndBytesSettings:
    quant_type: str = setting(
        "nf4", "how weights are kept: 4 bits with levels as a normal distribution has them, 4 bits of floating point, or 8 bits",
        choices=("nf4", "fp4", "int8"), aliases=("bnb_4bit_quant_type",),
    )  # fmt: skip
    bnb_4bit_use_double_quant: bool = setting(
        True, "quantize the scales of 4-bit weights, too: 0.4 bits a weight less", aliases=("double_quant", "double_quantization")
    )
    dtype: str = setting(
        "bfloat16",
        "dtype to compute in, and to keep what is not quantized in",
        choices=("bfloat16", "float16", "float32"),
        aliases=("torch_dtype", "bnb_4bit_compute_dtype"),
    )
    llm_int8_skip_modules: list[str] = setting(
        [],
        "modules to leave as they are besides the output head, by the end of their names",
        examples=(["down_proj"],),
        aliases=("skip_modules", "modules_to_not_convert"),
    )
