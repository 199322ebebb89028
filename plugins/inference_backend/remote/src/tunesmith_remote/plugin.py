"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_remote.settings import VENDORS, RemoteSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "remote",
        "a model that runs elsewhere, behind an OpenAI-compatible URL",
        "tunesmith_remote.backend:RemoteBackend",
        settings=RemoteSettings,
        accepts=("model/*",),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "full", "api.completions": "unknown", "api.stream": "full", "api.logprobs": "unknown", "api.echo": "unknown",
            "updatable": "none", "device.cpu": "full",
        },
        facts={"elsewhere": True},
        estimator="tunesmith_remote.estimate:estimate",
        priority=-100,
        secrets=("TUNESMITH_REMOTE_*", *VENDORS),
    )  # fmt: skip
