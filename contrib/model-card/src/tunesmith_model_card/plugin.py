"""What this plugin brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_model_card.settings import CardSettings


@hookimpl
def exporter() -> Provider:
    return Provider(
        name="model-card",
        summary="a page that says what a model is and where it came from",
        target="tunesmith_model_card.exporter:ModelCard",
        settings=CardSettings,
        accepts=("model/*", "adapter/*"),
        produces=("document/model-card",),
        capabilities={"lossless": "none"},
        facts={"metrics": {"lines": {"summary": "of the page"}}},
    )
