"""What this plugin brings: the verb `serve`."""

from __future__ import annotations

from tunesmith.contracts import Input, Need, Verb
from tunesmith.hookspecs import hookimpl
from tunesmith_serve.settings import ServeSettings

_ADAPTERS = Input(
    "adapters", "adapters of the model, served beside it", accepts=("adapter/peft",), required=False, read_by="adapters", many=True
)


@hookimpl
def verb() -> Verb:
    return Verb(
        name="serve",
        summary="a model behind the OpenAI API",
        target="tunesmith_serve.verb:run",
        settings=ServeSettings,
        kind="inference_backend",
        inputs=(Input("model", "the model to serve", of="inference_backend", unless="elsewhere"), _ADAPTERS),
        produces=("endpoint/openai+*",),
        needs=(
            Need("inference_backend", "updatable", "the adapter of what is served changes while it is trained", when={"updatable": True}),
        ),
        converts="insert",
        service=True,
        facts={"metrics": {}, "compares": ["expect"]},  # metrics of its own; its backend's count
    )
