"""The first question: what is wanted."""

from __future__ import annotations

from collections.abc import Callable

from tunesmith_cli.api import Session, ask_command
from tunesmith_cli.api import gettext as _
from tunesmith_wizard import commands
from tunesmith_wizard.answers import read_answers
from tunesmith_wizard.flows.chat import chat
from tunesmith_wizard.flows.compare import compare
from tunesmith_wizard.flows.look import look
from tunesmith_wizard.flows.serve import serve
from tunesmith_wizard.flows.smaller import smaller
from tunesmith_wizard.flows.tune import tune
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.question import Option

_FLOWS: dict[str, Callable[[Workshop], int]] = {
    "chat": chat, "tune": tune, "smaller": smaller, "compare": compare, "serve": serve, "look": look,
}  # fmt: skip
_UNFINISHED = (
    "failed",
    "cancelled",
    "interrupted",
)  # a process that was killed leaves the last; what runs elsewhere is not to be gone on with
_LOOKING = ("look", "leave", "resume")  # what is no interview of its own: an unfinished one stays as it was


def menu(interview: Interview, session: Session) -> int:
    """Ask what is wanted, and do it; gives the exit status."""
    interview.say(_("Tunesmith: a model's whole life, step by step. Ctrl-C stops at any question; nothing is lost."), "bold")
    options = [
        Option("chat", _("chat with a model"), _("fetch one that fits this machine, and talk to it")),
        Option("tune", _("tune one on my data"), _("from a file of examples to a model that has learnt from them")),
        Option("smaller", _("make one smaller"), _("fewer bits for each weight: less memory, quicker answers")),
        Option("compare", _("compare models"), _("base and tuned, on examples that neither has seen")),
        Option("serve", _("serve one"), _("behind the API that OpenAI's clients speak")),
        Option("look", _("look around"), _("this machine, what is installed, what was done here")),
        Option("leave", _("leave")),
    ]
    if last := _last_run():
        about = _("{pipeline} ({state}): done steps are kept, training goes on from its last checkpoint", **last)
        options.insert(0, Option("resume", _("go on with the last run"), about))
    begun = _begun(interview)
    if begun:
        options.insert(0, Option("continue", _("go on where you stopped"), ", ".join(f"{name}: {value}" for name, value in begun.items())))
    recommended = options[0].value
    reasons = {
        "continue": _("you stopped after {count} answers", count=len(begun)) if len(begun) > 1 else _("you stopped after one answer"),
        "resume": _("it did not come to its end"),
        "chat": _("the quickest way to see something work"),
    }  # fmt: skip
    with interview.answers.aside():
        wanted = interview.choose("want", _("What would you like to do?"), options, recommended, reason=reasons[recommended])
    if wanted == "continue":
        return _go_on(interview, session, begun)
    if wanted in _LOOKING:
        interview.answers.journal = None
    interview.answers.save()
    if wanted == "resume":
        return commands.run(interview, "resume", str(last["run"]), "--no-serve")
    if wanted == "leave":
        return 0
    return _FLOWS[wanted](Workshop(interview, session))


def _go_on(interview: Interview, session: Session, begun: dict[str, str]) -> int:
    """The questions that were answered are not asked again."""
    answers, wanted = interview.answers, begun.pop("want")
    answers.told.clear()
    answers.given, answers.source = {**begun, **answers.given}, str(answers.journal)
    answers.keep("want", wanted)
    return _FLOWS[wanted](Workshop(interview, session))


def _begun(interview: Interview) -> dict[str, str]:
    """What somebody answered here who did not come to an end."""
    journal = interview.answers.journal
    if not journal or not journal.is_file() or "want" in interview.answers.given:
        return {}
    try:
        found = read_answers(journal)
    except Exception:  # it is an offer, no more
        return {}
    return found if found.get("want") in _FLOWS else {}


def _last_run() -> dict[str, str]:
    """The last run, if it did not come to its end."""
    rows = ask_command(["runs", "list"]).said or []
    row = rows[0] if isinstance(rows, list) and rows else {}
    wanted = row.get("state") in _UNFINISHED
    return {"run": row["id"], "pipeline": row["pipeline"], "state": row["state"]} if wanted else {}
