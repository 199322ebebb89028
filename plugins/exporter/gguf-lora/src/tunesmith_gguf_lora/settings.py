"""Settings of the exporter `gguf-lora`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class GgufLoraSettings:
    outtype: str = setting(
        "f32", "how the adapter's matrices are kept: f32 is exact, f16 takes half of it", choices=("f32", "f16"), aliases=("dtype",)
    )
