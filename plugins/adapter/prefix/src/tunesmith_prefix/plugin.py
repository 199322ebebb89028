"""What this plugin brings: the adapter `prefix`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_prefix.settings import PrefixSettings


@hookimpl
def adapter() -> Provider:
    return Provider(
        name="prefix",
        summary="a prefix: keys and values before every sequence train in each layer",
        target="tunesmith_prefix.adapter:Prefix",
        settings=PrefixSettings,
        accepts=("model/hf",),
        produces=("adapter/peft",),
        capabilities={"merge": "none", "reference": "full", "parallel.shards": "none", "parallel.own-model": "none"},
        limits={
            "parallel.own-model": "its modules lie in transformers' model",
            "merge": "no matrix of the model holds what keys and values before the text do to it",
            "parallel.shards": "it runs the layers once for each sequence, and processes that gather them have to run them equally often",
        },
        estimator="tunesmith_prefix.estimate:parts",
    )
