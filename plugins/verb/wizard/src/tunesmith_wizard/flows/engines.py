"""Which engine serves."""

from __future__ import annotations

from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import translated
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.question import Option


def serving(shop: Workshop) -> str:
    """The name of the verb that serves."""
    return next((verb.name for verb in shop.session.registry.providers("verb").values() if verb.service), "serve")


def ask_engine(shop: Workshop, key: str = "engine") -> str:
    verb = shop.session.registry.providers("verb").get(serving(shop))
    engines = shop.session.registry.providers(verb.main_kind).values() if verb else ()
    options = [Option("auto", _("the planner chooses"), _("the first that reads the model, runs here and fits; the plan says why"))]
    options += [Option(engine.name, engine.name, translated(engine.summary)) for engine in engines]
    reason = _("it knows what each needs and what this machine has")
    return shop.interview.choose(key, _("Which engine shall answer?"), options, "auto", reason=reason)
