"""Look around: nothing is changed, each look is a command."""

from __future__ import annotations

from tunesmith_cli.api import gettext as _
from tunesmith_wizard import commands
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.question import Option, Question, existing_file

_WORDS = {
    "machine": ("probe",), "doctor": ("doctor",), "plugins": ("plugin", "list"), "runs": ("runs", "list"), "last": ("runs", "show"),
    "store": ("store", "du"),
}  # fmt: skip


def look(shop: Workshop) -> int:
    interview = shop.interview
    texts = {
        "machine": _("this machine: devices, memory, speed"), "data": _("a file of examples: what is in it"),
        "plugins": _("what is installed"), "runs": _("what was run here"), "last": _("the last run"),
        "store": _("how much disk the models take"), "doctor": _("what is missing on this machine"),
    }  # fmt: skip
    while True:
        options = [Option(name, text, commands.line(_WORDS.get(name, ("data", "facts", "FILE")))) for name, text in texts.items()]
        name = interview.choose("look", _("At what?"), [*options, Option("leave", _("leave"))], "machine")
        if name == "leave":
            return 0
        if name == "data":
            file = interview.ask(Question("data", _("Which file?"), check=existing_file, paths=True))
            commands.run(interview, "data", "facts", file)
        else:
            commands.run(interview, *_WORDS[name])
