"""What this plugin brings."""

from __future__ import annotations

from acme_card.settings import AcmeCardSettings
from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def exporter() -> Provider:
    return Provider(
        name="model-card",
        summary="Acme's page about a model: the public one with an owner and a notice",
        target="acme_card.exporter:AcmeCard",
        settings=AcmeCardSettings,
        accepts=("model/*", "adapter/*"),
        produces=("document/model-card",),
        capabilities={"lossless": "none"},
    )
