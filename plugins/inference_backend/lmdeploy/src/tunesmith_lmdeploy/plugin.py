"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_lmdeploy.settings import LmdeploySettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "lmdeploy",
        "plain models and those of 4 bits, by LMDeploy: fast on GPUs",
        "tunesmith_lmdeploy.backend:LmdeployBackend",
        settings=LmdeploySettings,
        accepts=("model/hf", "model/gptq", "model/awq", "model/compressed-tensors"),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "unknown", "api.completions": "unknown", "api.stream": "unknown", "api.logprobs": "unknown",
            "api.echo": "none", "batching.continuous": "full", "updatable": "none", "device.cpu": "none", "device.cuda": "unknown",
        },
        estimator="tunesmith_lmdeploy.estimate:estimate",
        variants="tunesmith_lmdeploy.estimate:variants",
    )  # fmt: skip
