"""Settings of the backend."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class TransformersSettings:
    """How the model is loaded and what bounds the server. The standard library only: the manifest is written from this."""

    dtype: str = setting(
        "auto",
        "dtype of weights and cache; auto: the checkpoint's, where the device computes in it natively",
        choices=("auto", "float32", "bfloat16", "float16"),
        aliases=("torch_dtype",),
    )
    max_num_seqs: int = setting(32, "answers generated at the same time; more of them wait", ge=1, le=1024,
                             effect={"with": {"max_queued_requests": 0}, "scene": "many at a time"}, aliases=("max_batch",
                             "max_running_requests"))  # fmt: skip
    max_model_len: int = setting(
        4096, "longest prompt and answer together, in tokens; 0: as long as the model allows", ge=0, aliases=("context_length",)
    )
    max_queued_requests: int = setting(256, "requests that may wait; more are refused with status 429", ge=0,
                             effect={"with": {"max_num_seqs": 1}, "scene": "many at a time"}, aliases=("max_queue",))  # fmt: skip
    kv_cache_gib: float = setting(
        4.0, "most memory for keys and values, in GiB; answers wait or are read again rather than exceed it", gt=0
    )
    chunked_prefill_size: int = setting(
        512, "tokens of new prompts read in one step; fewer: running answers stutter less, more: prompts are read faster", ge=1,
        effect={"call": "torch.nn.functional:embedding"},
    )  # fmt: skip
    enable_prefix_caching: bool = setting(
        True, "read what prompts share at their beginning once; takes no more than `kv_cache_gib`, but keeps it while nothing is asked"
    )
    threads: int = setting(0, "processor threads; 0: one per core", ge=0, effect={"call": "torch:set_num_threads"})
    max_request_bytes: int = setting(4 * 2**20, "largest request body", ge=1024, le=2**30)
