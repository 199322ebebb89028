"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_vllm.settings import TAKES, VllmSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "vllm",
        "most models, plain or quantized, by vLLM: high throughput, on GPUs and processors",
        "tunesmith_vllm.backend:VllmBackend",
        settings=VllmSettings,
        accepts=("model/hf", "model/gptq", "model/awq", "model/compressed-tensors"),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "full", "api.completions": "full", "api.stream": "full", "api.logprobs": "full", "api.echo": "full",
            "batching.continuous": "full", "updatable": "full", "device.cpu": "full", "device.cuda": "unknown",
        },
        facts={"adapters": True, "takes": TAKES},
        estimator="tunesmith_vllm.estimate:estimate",
        variants="tunesmith_vllm.estimate:variants",
        priority=5,
    )  # fmt: skip
