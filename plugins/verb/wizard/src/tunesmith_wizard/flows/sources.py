"""What a flow begins with: a model, or what a step of a pipeline here made."""

from __future__ import annotations

from typing import Any

from tunesmith_cli.api import gettext as _
from tunesmith_wizard.flows.engines import serving
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.pipelines import made_here, steps_of
from tunesmith_wizard.question import Option

MAKERS = ("train", "merge", "combine", "quantize", "export")


def ask_source(shop: Workshop, text: str, name: str) -> tuple[dict[str, Any], str]:
    """A pipeline without servers, and its step that is meant; empty: its model.

    Args:
        name: of a pipeline that begins with a model from elsewhere.
    """
    made = {
        f"{file}:{step}": (data, step)
        for file, data in made_here(shop.folder) for step in reversed(steps_of(data, *MAKERS))
    }  # fmt: skip
    options = [Option(name, _("{step} of {file}", step=step, file=name.rpartition(":")[0])) for name, (_data, step) in made.items()]
    options.append(Option("model", _("a model from elsewhere")))
    source = "model"
    if made:
        source = shop.interview.choose("source", text, options, options[0].value, reason=_("it was made here"))
    if source == "model":
        return {"name": name, "model": shop.models.ask(shop.interview, "model", text), "steps": {}}, ""
    data, step = made[source]
    return without_servers(data, serving(shop)), step


def without_servers(data: dict[str, Any], verb: str) -> dict[str, Any]:
    """The pipeline without steps that serve, and those that read them."""
    steps = dict(data["steps"])
    gone = {name for name, step in steps.items() if isinstance(step, dict) and verb in step}
    while True:
        more = {name for name, step in steps.items() if name not in gone and gone & set(_read(step))}
        if not more:
            return {**data, "steps": {name: step for name, step in steps.items() if name not in gone}}
        gone |= more


def _read(step: Any) -> list[str]:
    found = []
    for key in ("from", "needs", "data"):
        value = step.get(key) if isinstance(step, dict) else None
        found += value if isinstance(value, list) else [value]
    return [str(name) for name in found]
