"""Serve a model: which one, by which engine, where, for how many."""

from __future__ import annotations

from typing import Any

from tunesmith_cli.api import gettext as _
from tunesmith_wizard.flows.engines import ask_engine, serving
from tunesmith_wizard.flows.sources import ask_source
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.pipelines import Ending, finish, text_of


def serve(shop: Workshop) -> int:
    interview, verb = shop.interview, serving(shop)
    pipeline, source = ask_source(shop, _("Which model shall be served?"), "served")
    engine = ask_engine(shop)
    schema = shop.session.registry.provider("verb", verb).schema["properties"]
    port = interview.value(
        "port", _("On which port?"), schema["port"], 8000, reason=_("as most examples for OpenAI's API have it; 0: any that is free")
    )
    settings: dict[str, Any] = {"port": port}
    if "expect" in schema:
        many = interview.value(
            "concurrency", _("How many requests at the same time, at most?"), {"type": "integer", "minimum": 0}, 0,
            reason=_("0: not known, then nothing is set for it"), help=_("The engine's context, slots and cache are set for them."),
        )  # fmt: skip
        settings |= {"expect": {"concurrency": many}} if many else {}
    step = {verb: engine, **({"from": source} if source else {}), "settings": settings}
    steps = {**pipeline["steps"], "server": step}
    return finish(
        interview,
        text_of({**pipeline, "steps": steps}),
        Ending(run=("run", "FILE"), question=_("Serve it now? Ctrl-C stops it.")),
        "serve.yaml",
    )
