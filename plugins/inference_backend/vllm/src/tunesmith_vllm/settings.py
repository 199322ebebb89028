"""Settings of the backend `vllm`; most have vLLM's own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts.settings import setting

TAKES = ("adapter/peft", "model/hf")  #: formats of the weights that it can be given while it serves
#: what vLLM's `--max-lora-rank` may be; memory for each adapter is taken for the one that is given
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class VllmSettings:
    dtype: str = setting(
        "auto",
        "dtype of weights and activations; auto: the checkpoint's, where the device computes in it natively",
        choices=("auto", "bfloat16", "float16", "float32"),
        aliases=("torch_dtype",),
    )
    max_model_len: int = setting(4096, "longest prompt and answer together, in tokens, as far as the model allows; 0: all it allows", ge=0)
    max_num_seqs: int = setting(64, "answers generated at the same time; more of them wait", ge=1)
    kv_cache_gib: float = setting(
        0.0,
        "memory for keys and values, in GiB; 0: on a GPU what gpu_memory_utilization leaves, on a processor 2 GiB",
        ge=0,
        unlike={"kv_cache_memory_bytes": "give it in GiB, `kv_cache_gib`"},
    )
    kv_cache_dtype: str = setting("auto", "dtype of keys and values", examples=("fp8",))
    gpu_memory_utilization: float = setting(0.9, "share of a GPU's memory that it may take", gt=0, le=1, effect={"scene": "a GPU"})
    quantization: str = setting("", "how the weights are quantized; empty: as the checkpoint says", examples=("fp8",))
    enforce_eager: bool | None = setting(None, "compile nothing: up sooner, slower afterwards; by default on a processor alone")
    tensor_parallel_size: int = setting(1, "devices that share each layer", ge=1)
    pipeline_parallel_size: int = setting(1, "devices that share the layers", ge=1)
    max_lora_rank: int = setting(
        16, "highest rank of the adapters that it takes where the step is `updatable`: room is kept for it", choices=RANKS,
        effect={"scene": "a step that is updatable"},
    )  # fmt: skip
    enable_sleep_mode: bool = setting(
        False, "give a GPU's memory back while a training step learns whose sampler the step is (`updatable`)",
        effect={"scene": "a step that is updatable"},
    )  # fmt: skip
    reserved_cores: int = setting(0, "processor cores left to others, on a processor", ge=0)
    options: dict[str, Any] = setting(
        {}, "further options of `vllm serve` by their names; true and false switch one on and off",
        examples=({"enable_prefix_caching": False, "max_num_batched_tokens": 4096},),
    )  # fmt: skip
