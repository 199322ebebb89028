"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_openvino.settings import OpenVinoSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "openvino",
        "causal language models of transformers on processors, by OpenVINO: converted at the start, weights in 8 bits if wanted",
        "tunesmith_openvino.backend:OpenVinoBackend",
        settings=OpenVinoSettings,
        accepts=("model/hf",),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "full", "api.completions": "full", "api.stream": "full", "api.logprobs": "partial", "api.echo": "none",
            "batching.continuous": "full", "device.cpu": "full",
        },
        estimator="tunesmith_openvino.estimate:estimate",
        variants="tunesmith_openvino.estimate:variants",
    )  # fmt: skip
