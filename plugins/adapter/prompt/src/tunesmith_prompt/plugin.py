"""What this plugin brings: the adapter `prompt`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_prompt.settings import PromptSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="prompt",
        summary="a soft prompt: a few embeddings before every sequence train, the smallest adapter there is",
        target="tunesmith_prompt.adapter:Prompt",
        settings=PromptSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={"merge": "none", "reference": "full", "parallel.shards": "full", "parallel.own-model": "none"},
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "merge": "no matrix of the model holds what embeddings before the text do to it",
        },
        estimator="tunesmith_prompt.estimate:parts",
    )
