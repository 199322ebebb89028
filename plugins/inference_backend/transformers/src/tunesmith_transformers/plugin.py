"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_transformers.settings import TransformersSettings

ROLES = ("reward", "process-reward", "classify", "classify-tokens", "embed")  #: of models that give numbers


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "transformers",
        "any causal language model of transformers, with continuous batching; reward models, classifiers and embedding models of that kind",
        "tunesmith_transformers.backend:TransformersBackend",
        settings=TransformersSettings,
        accepts=("model/hf", "model/bnb", *(f"model/hf+{role}" for role in ROLES)),
        produces=("endpoint/openai+*",),
        capabilities={
            "api.chat": "full", "api.completions": "full", "api.stream": "full", "api.logprobs": "full", "api.echo": "full",
            "api.embeddings": "full", "api.pooling": "full",
            "batching.continuous": "full", "updatable": "none", "device.cpu": "full", "device.cuda": "full",
        },
        estimator="tunesmith_transformers.estimate:estimate",
        variants="tunesmith_transformers.estimate:variants",
        priority=10,
    )  # fmt: skip
