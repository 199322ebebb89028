"""Settings of the exporter `gguf`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class GgufSettings:
    outtype: str = setting(
        "bf16",
        "how matrices are kept: bf16, f16 and f32 are floating point; q8_0 is 8 bits with a scale for each 32 weights",
        choices=("bf16", "f16", "f32", "q8_0"),
        aliases=("type",),
    )
    model_name: str = setting("model", "the model's name in the file's metadata, which llama.cpp shows", pattern="\\S", aliases=("name",))
