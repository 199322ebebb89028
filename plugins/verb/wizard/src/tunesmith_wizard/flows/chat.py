"""Chat with a model: which one, by which engine."""

from __future__ import annotations

from tunesmith_cli.api import gettext as _
from tunesmith_wizard import commands
from tunesmith_wizard.flows.engines import ask_engine, serving
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.pipelines import Ending, finish, text_of


def chat(shop: Workshop) -> int:
    interview = shop.interview
    model = shop.models.ask(interview, "model", _("Which model?"))
    engine = ask_engine(shop)
    pipeline = {"name": "chat", "model": model, "steps": {"api": {serving(shop): engine}}}
    words = ["chat", "--model", model, *(["--backend", engine] if engine != "auto" else [])]
    interview.say(_("As one command: {line}", line=commands.line(words)))
    ending = Ending(run=("chat", "--from", "api", "--pipeline", "FILE"), question=_("Talk to it now?"))
    return finish(interview, text_of(pipeline), ending, "chat.yaml")
