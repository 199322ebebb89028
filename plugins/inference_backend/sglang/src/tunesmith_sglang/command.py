"""SGLang's command line. The standard library only."""

from __future__ import annotations

import sys

from tunesmith.contracts import Address
from tunesmith_serve import local_names
from tunesmith_serve.engine_options import STEPS_OWN, words
from tunesmith_sglang.settings import SglangSettings

NOT_TO_GIVE = STEPS_OWN | {
    "admin_api_key": "what it opens is closed: other weights than the step's could be loaded", "device": "the step's placement says it",
    "tokenizer_worker_num": "its further processes would not look at whose requests they take", "grpc_mode": "the endpoint speaks HTTP",
    "smg_grpc_mode": "the endpoint speaks HTTP", "enable_http2": "the endpoint speaks HTTP/1.1",
}  # fmt: skip


def command(
    settings: SglangSettings, model: str, name: str, address: Address, *, device: str, positions: int, seed: int
) -> tuple[str, ...]:
    """The interpreter of this environment, running SGLang's server.

    Args:
        positions: longest text that the model allows, in tokens; 0: unknown.

    Raises:
        UserError: TS-SERVE-030 for options that can't be given.
    """
    known = {
        "model_path": model, "served_model_name": name, "host": address.host, "port": address.port, "random_seed": seed, "device": device,
        "dtype": settings.dtype, "context_length": min(settings.context_length, positions or settings.context_length) or None,
        "max_running_requests": settings.max_running_requests, "mem_fraction_static": settings.mem_fraction_static,
        "chunked_prefill_size": settings.chunked_prefill_size, "kv_cache_dtype": settings.kv_cache_dtype,
        "quantization": settings.quantization or None, "disable_radix_cache": settings.disable_radix_cache or None,
        "tp_size": settings.tp_size, "pp_size": settings.pp_size, "enable_metrics": True, "log_level_http": "warning",
    }  # fmt: skip
    options = words(known, settings.options, engine="SGLang", refused=NOT_TO_GIVE, negates=False)
    return (sys.executable, "-m", "tunesmith_sglang.server", *options)


def environment(address: Address) -> dict[str, str]:
    """Variables on top of the worker's: no hub, where it listens, and a health check that does not generate."""
    return {"HF_HUB_OFFLINE": "1", "SGLANG_ENABLE_HEALTH_ENDPOINT_GENERATION": "false", **local_names.variables(address)}
