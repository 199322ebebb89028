"""Settings of the exporter and of the quantizer `gguf`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting
from tunesmith_gguf.mixtures import names
from tunesmith_quantization import length_setting, rows_setting


@dataclass(frozen=True)
class GgufSettings:
    outtype: str = setting(
        "bf16",
        "how matrices are kept: bf16, f16 and f32 are floating point; q8_0 is 8 bits with a scale for each 32 weights",
        choices=("bf16", "f16", "f32", "q8_0"),
        aliases=("type",),
    )
    model_name: str = setting("model", "the model's name in the file's metadata, which llama.cpp shows", pattern="\\S", aliases=("name",))


@dataclass(frozen=True)
class GgufQuantizerSettings:
    quant_type: str = setting(
        "q4_k_m", "how matrices are kept, by llama.cpp's names: K-quants (q3_k_m to q6_k) or the older types",
        choices=names(), aliases=("type", "outtype", "quantization_method"),
    )  # fmt: skip
    num_calibration_samples: int = rows_setting(128)
    max_seq_length: int = length_setting(512)
    model_name: str = setting("model", "the model's name in the file's metadata, which llama.cpp shows", pattern="\\S", aliases=("name",))
