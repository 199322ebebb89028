"""LMDeploy's command line. The standard library only."""

from __future__ import annotations

import sys

from tunesmith.contracts import Address
from tunesmith_lmdeploy.settings import LmdeploySettings
from tunesmith_serve import local_names
from tunesmith_serve.engine_options import STEPS_OWN, words

NOT_TO_GIVE = STEPS_OWN | {
    "device": "the step's placement says it", "backend": "it is a setting of the plugin", "proxy_url": "the step's endpoint is this server",
    "allow_terminate_by_client": "the step says when it ends", "allow_origins": "pages of other servers may not read it",
    "model_format": "the artifact's format says it",
}  # fmt: skip
FORMATS = {"model/hf": "hf", "model/awq": "awq", "model/gptq": "gptq", "model/compressed-tensors": "compressed-tensors"}


def command(
    settings: LmdeploySettings, model: str, format: str, name: str, address: Address, *, device: str, positions: int
) -> tuple[str, ...]:
    """The interpreter of this environment, running LMDeploy's server.

    Args:
        format: the artifact's.
        positions: longest text that the model allows, in tokens; 0: unknown.

    Raises:
        UserError: TS-SERVE-030 for options that can't be given.
    """
    known = {
        "server_name": address.host, "server_port": address.port, "model_name": name, "device": device, "backend": settings.backend,
        "dtype": settings.dtype, "model_format": FORMATS[format],
        "session_len": min(settings.session_len, positions or settings.session_len) or None, "max_batch_size": settings.max_batch_size,
        "cache_max_entry_count": settings.cache_max_entry_count, "quant_policy": settings.quant_policy,
        "enable_prefix_caching": settings.enable_prefix_caching or None, "max_prefill_token_num": settings.max_prefill_token_num,
        "tp": settings.tp, "allow_origins": [f"http://{address.host}:{address.port}"], "log_level": "WARNING",
    }  # fmt: skip
    options = words(known, settings.options, engine="LMDeploy", refused=NOT_TO_GIVE, negates=False)
    return (sys.executable, "-m", "tunesmith_lmdeploy.server", "serve", "api_server", model, *options)


def environment(address: Address) -> dict[str, str]:
    """Variables on top of the worker's: no hub, and where it listens."""
    return {"HF_HUB_OFFLINE": "1", **local_names.variables(address)}
