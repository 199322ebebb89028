"""Settings of the exporter `dequantize`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class DequantizeSettings:
    dtype: str = setting(
        "bfloat16",
        "precision of the weights that are written: float32 is exact; bfloat16 and float16 take half of it and lose far less than the "
        "quantization already did",
        choices=("bfloat16", "float16", "float32"),
        aliases=("torch_dtype",),
    )
