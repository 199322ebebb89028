"""Settings of the backend and of the exporter."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting

_WEIGHTS: str = setting(
    "auto",
    "how the weights are kept; int8: compressed to 8 bits by nncf, without data; auto: as in the checkpoint",
    choices=("auto", "int8"),
)


@dataclass(frozen=True)
class OpenVinoExportSettings:
    weight_format: str = _WEIGHTS


@dataclass(frozen=True)
class OpenVinoSettings:
    dtype: str = setting(
        "auto",
        "dtype to compute in; auto: the checkpoint's, where the processor computes in it natively",
        choices=("auto", "float32", "bfloat16", "float16"),
        aliases=("torch_dtype", "inference_precision_hint"),
    )
    weight_format: str = _WEIGHTS
    kv_cache_dtype: str = setting(
        "auto", "dtype of the cache of keys and values; auto: as `dtype`; int8: half of 16 bits, and less exact",
        choices=("auto", "float32", "bfloat16", "float16", "int8"), aliases=("kv_cache_precision",),
    )  # fmt: skip
    max_num_seqs: int = setting(32, "answers generated at the same time; more of them wait", ge=1, le=1024, aliases=("max_batch",))
    max_model_len: int = setting(
        4096, "longest prompt and answer together, in tokens; 0: as long as the model allows", ge=0, aliases=("context_length",)
    )
    max_queued_requests: int = setting(256, "requests that may wait; more are refused with status 429", ge=0, aliases=("max_queue",))
    kv_cache_gib: float = setting(2.0, "memory for keys and values, in GiB", gt=0)
    max_num_batched_tokens: int = setting(
        512, "tokens computed in one step; fewer: running answers stutter less, more: prompts are read faster", ge=1
    )
    enable_prefix_caching: bool = setting(True, "read what prompts share at their beginning once; within `kv_cache_gib`")
    threads: int = setting(0, "processor threads; 0: one per core", ge=0, aliases=("inference_num_threads",))
