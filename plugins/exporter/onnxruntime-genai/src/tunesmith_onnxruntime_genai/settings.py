"""Settings of the exporter `onnxruntime-genai`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class OnnxRuntimeGenAISettings:
    dtype: str = setting(
        "float32",
        "how matrices are kept: int4 and int8 are rounded in groups that share a scale, without rows of data; float32 is exact",
        choices=("float32", "int8", "int4"),
        aliases=("precision", "torch_dtype"),
    )
    group_size: int = setting(
        32, "weights that share a scale, with `int4` and `int8`: fewer are nearer to the model, and take more space",
        choices=(16, 32, 64, 128, 256), aliases=("int4_block_size", "block_size"), effect={"with": {"dtype": "int4"}},
    )  # fmt: skip
