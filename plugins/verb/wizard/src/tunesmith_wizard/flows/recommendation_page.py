"""A recommendation on the screen: each choice with its reason, and what it needs."""

from __future__ import annotations

from tunesmith_cli.api import duration, number, size, translated
from tunesmith_cli.api import gettext as _
from tunesmith_recommend.api import Recommendation, Wanted, written
from tunesmith_wizard.interview import Interview


def show(interview: Interview, found: Recommendation, wanted: Wanted) -> None:
    say = interview.say
    interview.front.print()
    say(_("Recommended:"), "bold")
    for choice in found.choices:
        say(f"{choice.topic}: {written(choice.value)}", indent="  ", hanging="    ")
        say(translated(choice.reason), "dim", indent="      ")
        if choice.instead_of:
            say(_("not {other}", other=translated(choice.instead_of)), "dim", indent="      ")
    say(_("time: {time}; memory: {memory}; disk: {disk}", time=_time(found), memory=_memory(found), disk=size(found.prediction.disk)),
        "good", hanging="  ")  # fmt: skip
    for remark in found.remarks:
        say(f"! {translated(remark)}", "warn", hanging="  ")


def show_refused(interview: Interview, found: Recommendation) -> None:
    for one in found.refused:
        interview.say(f"- {translated(one)}", "dim", hanging="  ")
    if not found.refused:
        interview.say(_("Nothing else was looked at: the first one fits."), "dim")


def _time(found: Recommendation) -> str:
    told = found.prediction
    if not told.seconds:
        return _("not known, {steps} optimizer steps", steps=number(told.steps))
    return _("about {time} of training, {steps} optimizer steps", time=duration(told.seconds), steps=number(told.steps))


def _memory(found: Recommendation) -> str:
    told = found.prediction
    return _("about {memory} of {there}", memory=size(told.memory), there=size(told.of)) if told.memory else _("not known")
