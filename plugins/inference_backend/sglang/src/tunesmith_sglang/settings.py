"""Settings of the backend `sglang`; most have SGLang's own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class SglangSettings:
    dtype: str = setting(
        "auto",
        "dtype of weights and activations; auto: the checkpoint's, where the device computes in it natively",
        choices=("auto", "bfloat16", "float16", "float32"),
        aliases=("torch_dtype",),
    )
    context_length: int = setting(
        4096,
        "longest prompt and answer together, in tokens, as far as the model allows; 0: all it allows",
        ge=0,
        aliases=("max_model_len",),
    )
    max_running_requests: int = setting(64, "answers generated at the same time; more of them wait", ge=1, aliases=("max_num_seqs",))
    mem_fraction_static: float = setting(
        0.85, "share of a GPU's memory for weights, keys and values", gt=0, lt=1, aliases=("gpu_memory_utilization",)
    )
    chunked_prefill_size: int = setting(8192, "tokens of new prompts read in one step", ge=1)
    kv_cache_dtype: str = setting("auto", "dtype of keys and values", examples=("fp8_e5m2",))
    quantization: str = setting("", "how the weights are quantized; empty: as the checkpoint says", examples=("fp8",))
    disable_radix_cache: bool = setting(False, "read each prompt from its first token, though another began alike")
    tp_size: int = setting(1, "devices that share each layer", ge=1, aliases=("tensor_parallel_size",))
    pp_size: int = setting(1, "devices that share the layers", ge=1, aliases=("pipeline_parallel_size",))
    options: dict[str, Any] = setting(
        {}, "further options of `sglang serve` by their names; true switches one on",
        examples=({"attention_backend": "triton", "enable_torch_compile": True},),
    )  # fmt: skip
