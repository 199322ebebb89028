"""Settings of the backend `lmdeploy`; most have LMDeploy's own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class LmdeploySettings:
    backend: str = setting(
        "turbomind",
        "which of its engines: turbomind is written in C++; pytorch, in Python, knows more models",
        choices=("turbomind", "pytorch"),
    )
    dtype: str = setting(
        "auto",
        "dtype of weights and activations; auto: the checkpoint's, where the device computes in it natively",
        choices=("auto", "bfloat16", "float16"),
        aliases=("torch_dtype",),
    )
    session_len: int = setting(
        4096,
        "longest prompt and answer together, in tokens, as far as the model allows; 0: all it allows",
        ge=0,
        aliases=("max_model_len",),
    )
    max_batch_size: int = setting(64, "answers generated at the same time; more of them wait", ge=1, aliases=("max_num_seqs",))
    cache_max_entry_count: float = setting(
        0.8,
        "share for keys and values of what weights leave of a GPU's memory",
        gt=0,
        lt=1,
        unlike={"gpu_memory_utilization": "that counts the weights, too"},
    )
    quant_policy: str = setting("none", "numbers that keys and values are kept in", choices=("none", "int8", "int4"))
    enable_prefix_caching: bool = setting(True, "prompts that begin alike are read once")
    max_prefill_token_num: int = setting(8192, "tokens of new prompts read in one step", ge=1)
    tp: int = setting(1, "devices that share each layer", ge=1, aliases=("tensor_parallel_size",))
    options: dict[str, Any] = setting(
        {}, "further options of `lmdeploy serve api_server` by their names; true switches one on",
        examples=({"rope_scaling_factor": 2.0, "disable_metrics": True},),
    )  # fmt: skip
