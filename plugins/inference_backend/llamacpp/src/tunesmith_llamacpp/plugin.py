"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_llamacpp.settings import LlamaCppSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "llamacpp",
        "GGUF models by llama.cpp, small and quick to start",
        "tunesmith_llamacpp.backend:LlamaCppBackend",
        settings=LlamaCppSettings,
        accepts=("model/gguf",),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "full", "api.completions": "full", "api.stream": "full", "api.logprobs": "full", "api.echo": "full",
            "batching.continuous": "full", "updatable": "none", "device.cpu": "full", "device.cuda": "unknown",
        },
        estimator="tunesmith_llamacpp.estimate:estimate",
        variants="tunesmith_llamacpp.estimate:variants",
    )  # fmt: skip
