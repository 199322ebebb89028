"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_sglang.settings import SglangSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "sglang",
        "most models, plain or quantized, by SGLang: prompts that begin alike are read once, on GPUs",
        "tunesmith_sglang.backend:SglangBackend",
        settings=SglangSettings,
        accepts=("model/hf", "model/gptq", "model/awq", "model/compressed-tensors"),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "unknown", "api.completions": "unknown", "api.stream": "unknown", "api.logprobs": "unknown",
            "api.echo": "unknown", "batching.continuous": "full", "updatable": "none", "device.cpu": "none", "device.cuda": "unknown",
        },
        estimator="tunesmith_sglang.estimate:estimate",
        variants="tunesmith_sglang.estimate:variants",
    )  # fmt: skip
