"""Settings of the backend."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class LlamaCppSettings:
    ctx_size: int = setting(4096, "longest prompt and answer together, in tokens", ge=64, aliases=("n_ctx", "context"))
    parallel: int = setting(8, "answers generated at the same time; more of them wait", ge=1, le=256, aliases=("n_parallel",))
    threads: int = setting(0, "processor threads; 0: one per core", ge=0, aliases=("n_threads",))
    batch_size: int = setting(2048, "most tokens of new prompts taken up in one step", ge=32, aliases=("n_batch",))
    ubatch_size: int = setting(512, "most tokens computed at once; changes speed and memory", ge=32, aliases=("n_ubatch",))
    flash_attn: str = setting(
        "auto", "whether attention is computed in one pass", choices=("auto", "on", "off"), aliases=("flash_attention",)
    )
    cache_type: str = setting("f16", "dtype of the cache of keys and values", choices=("f32", "f16", "bf16", "q8_0"))
    n_gpu_layers: int = setting(-1, "layers on the GPU where the library was built for one; -1: all", ge=-1, aliases=("gpu_layers", "ngl"))
