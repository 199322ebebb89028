"""Settings of the exporter `onnxruntime-genai`. Names are its builder's."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class OnnxRuntimeGenAISettings:
    precision: str = setting(
        "fp32",
        "how matrices are kept: int4 and int8 are rounded in blocks that share a scale, without rows of data; fp32 is exact",
        choices=("fp32", "int8", "int4"),
        aliases=("p",),
    )
    int4_block_size: int = setting(
        32, "weights that share a scale, with `precision: int4`: fewer are nearer to the model, and take more space",
        choices=(16, 32, 64, 128, 256), aliases=("block_size", "group_size"),
    )  # fmt: skip
