"""vLLM's command line. The standard library only."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from tunesmith.contracts import Address
from tunesmith_serve import local_names
from tunesmith_serve.engine_options import STEPS_OWN, words
from tunesmith_vllm import lora_adapters, policy_token, policy_weights
from tunesmith_vllm.lora_adapters import LoraAdapter
from tunesmith_vllm.settings import VllmSettings

PROCESSOR_CACHE = 2.0  # GiB for keys and values where nothing is said: vLLM's own default is most of the machine's memory
NOT_TO_GIVE = STEPS_OWN | {
    "shutdown_timeout": "the step's setting `shutdown_grace` says it", "enable_lora": "the step's `adapters` say it",
    "lora_modules": "the step's `adapters` say it", "max_lora_rank": "the adapters themselves, or the setting of this name, say it",
    "lora_target_modules": "the adapters themselves say it",
}  # fmt: skip


def command(
    settings: VllmSettings,
    model: str,
    name: str,
    address: Address,
    *,
    device: str,
    positions: int,
    seed: int,
    shutdown_grace: float,
    adapters: Sequence[LoraAdapter] = (),
    updatable: bool = False,
) -> tuple[str, ...]:
    """The interpreter of this environment, running vLLM's server.

    Args:
        shutdown_grace: seconds that running requests get to end when it is stopped.
        positions: longest text that the model allows, in tokens; 0: unknown.
        adapters: served beside the model.
        updatable: whether it is the sampler of a training step.

    Raises:
        UserError: TS-SERVE-030 for options that can't be given.
    """
    known = {
        "model": model, "served_model_name": name, "host": address.host, "port": address.port, "seed": seed, "dtype": settings.dtype,
        "max_model_len": min(settings.max_model_len, positions or settings.max_model_len) or None, "max_num_seqs": settings.max_num_seqs,
        "kv_cache_memory_bytes": int(cache_gib(settings, device) * 2**30) or None,
        "kv_cache_dtype": settings.kv_cache_dtype, "quantization": settings.quantization or None,
        "gpu_memory_utilization": None if device == "cpu" else settings.gpu_memory_utilization,
        "enforce_eager": eager(settings, device) or None,
        "tensor_parallel_size": settings.tensor_parallel_size, "pipeline_parallel_size": settings.pipeline_parallel_size,
        "shutdown_timeout": math.ceil(shutdown_grace), "allowed_origins": json.dumps([]),
        "disable_access_log_for_endpoints": "/health,/metrics", **lora_adapters.options(adapters, device),
        **(_of_sampler(settings) if updatable else {}),
    }  # fmt: skip
    options = words(known, settings.options, engine="vLLM", refused=NOT_TO_GIVE)
    guard = ("--middleware", policy_weights.PATH, "--middleware", policy_token.PATH) if updatable else ()  # the last one is asked first
    return (sys.executable, "-m", "vllm.entrypoints.openai.api_server", *options, "--middleware", local_names.PATH, *guard)


def _of_sampler(settings: VllmSettings) -> dict[str, Any]:
    """One adapter at a time; log-probabilities at the temperature that is asked for; nothing of how the model's files say that it should be
    asked, for what is sampled from is the model itself."""
    return {
        "enable_lora": True, "max_loras": 1, "max_lora_rank": settings.max_lora_rank, "logprobs_mode": "processed_logprobs",
        "generation_config": "vllm", "enable_sleep_mode": settings.enable_sleep_mode or None,
    }  # fmt: skip


def environment(settings: VllmSettings, device: str, address: Address, *, token: str = "") -> dict[str, str]:
    """Variables on top of the worker's: no hub, no usage statistics, where it listens, and on a processor all its cores.

    Args:
        token: of a sampler, which takes weights from whoever has it.
    """
    variables = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}
    variables |= local_names.variables(address)
    if token:
        variables |= {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", policy_token.TOKEN: token}
    if device == "cpu":
        variables["VLLM_CPU_NUM_OF_RESERVED_CPU"] = str(settings.reserved_cores)
        if eager(settings, device):
            # the first request that asks for log-probabilities would wait 18 s for a C++ compiler, and fail without one
            variables["TORCHDYNAMO_DISABLE"] = "1"
    return variables


def eager(settings: VllmSettings, device: str) -> bool:
    return device == "cpu" if settings.enforce_eager is None else settings.enforce_eager


def cache_gib(settings: VllmSettings, device: str) -> float:
    """GiB for keys and values; 0: vLLM is to find out."""
    return settings.kv_cache_gib or (PROCESSOR_CACHE if device == "cpu" else 0.0)
