"""What this plugin brings: the verb `stamp`, and `unstamp`, the way back from its format."""

from __future__ import annotations

from acme_stamp.settings import StampSettings
from tunesmith.contracts import Input, Provider, Verb
from tunesmith.hookspecs import hookimpl

FORMAT = "model/acme-stamped"


@hookimpl
def verb() -> Verb:
    return Verb(
        name="stamp",
        summary="release a model to an audience: its files, summed up and stamped",
        target="acme_stamp.stamps:run",
        settings=StampSettings,
        inputs=(Input("model", "the model to stamp", accepts=("model/hf",)),),
        produces=(FORMAT,),
    )


@hookimpl
def exporter() -> Provider:
    return Provider(
        name="unstamp",
        summary="the model under a stamp, checked against it",
        target="acme_stamp.stamps:Unstamp",
        accepts=(FORMAT,),
        produces=("model/hf",),
        capabilities={"lossless": "full"},
    )
