"""vLLM's command line. The standard library only."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from tunesmith.contracts import Address, UserError
from tunesmith_vllm import host_header
from tunesmith_vllm.settings import VllmSettings

PROCESSOR_CACHE = 2.0  # GiB for keys and values where nothing is said: vLLM's own default is most of the machine's memory
#: Options that are the kernel's, or would have a checkpoint choose code to run.
NOT_TO_GIVE = {
    "model": "the step's input is served", "served_model_name": "the step's setting `name` says it", "host": "it is a setting of the step",
    "port": "it is a setting of the step", "uds": "the endpoint has a port", "trust_remote_code": "no code out of checkpoints is run",
    "ssl_keyfile": "the endpoint speaks plain HTTP", "ssl_certfile": "the endpoint speaks plain HTTP",
    "shutdown_timeout": "the step's setting `shutdown_grace` says it",
    "api_key": "steps that read the endpoint would not know it", "root_path": "the endpoint's paths are known to others",
}  # fmt: skip


def command(
    settings: VllmSettings, model: str, name: str, address: Address, *, device: str, positions: int, seed: int, shutdown_grace: float
) -> tuple[str, ...]:
    """The interpreter of this environment, running vLLM's server.

    Args:
        shutdown_grace: seconds that running requests get to end when it is stopped.
        positions: longest text that the model allows, in tokens; 0: unknown.

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
        "disable_access_log_for_endpoints": "/health,/metrics",
    }  # fmt: skip
    given = {key.replace("-", "_"): value for key, value in settings.options.items()}
    for key in given:
        if key in NOT_TO_GIVE:
            raise UserError(
                "TS-SERVE-030", f"vLLM's option `{key}` can't be given here", why=f"{NOT_TO_GIVE[key].capitalize()}.",
                fix=f"Leave `{key}` out of `options`.",
            )  # fmt: skip
    words = [word for key, value in (known | given).items() for word in option(key, value)]
    return (sys.executable, "-m", "vllm.entrypoints.openai.api_server", *words, "--middleware", host_header.PATH)


def option(key: str, value: Any) -> Iterator[str]:
    """One option as words of the command line; nothing for None."""
    name = "--" + key.replace("_", "-")
    if value is None:
        return
    if isinstance(value, bool):
        yield name if value else "--no-" + name[2:]
        return
    yield name
    if isinstance(value, list):
        yield from map(str, value)
    else:
        yield json.dumps(value) if isinstance(value, Mapping) else str(value)


def environment(settings: VllmSettings, device: str, address: Address) -> dict[str, str]:
    """Variables on top of the worker's: no hub, no usage statistics, where it listens, and on a processor all its cores."""
    variables = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}
    variables |= {host_header.HOST: address.host, host_header.ALLOWED: " ".join(address.allowed_hosts)}
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
