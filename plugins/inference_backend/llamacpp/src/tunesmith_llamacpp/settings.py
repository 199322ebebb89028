"""Settings of the backend."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class LlamaCppSettings:
    context: int = setting(4096, "longest prompt and answer together, in tokens", ge=64)
    slots: int = setting(8, "answers generated at the same time; more of them wait", ge=1, le=256)
    threads: int = setting(0, "processor threads; 0: one per core", ge=0)
    batch: int = setting(2048, "most tokens of new prompts taken up in one step", ge=32)
    micro_batch: int = setting(512, "most tokens computed at once; changes speed and memory", ge=32)
    flash_attention: str = setting("auto", "whether attention is computed in one pass", choices=("auto", "on", "off"))
    cache_type: str = setting("f16", "number type of the cache of keys and values", choices=("f32", "f16", "bf16", "q8_0"))
    gpu_layers: int = setting(-1, "layers on the GPU where the library was built for one; -1: all", ge=-1)
