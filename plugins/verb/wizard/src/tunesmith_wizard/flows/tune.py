"""Tune a model on one's own data: facts, recommendation, what to change of it, plan, run, talk."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import number
from tunesmith_recommend.api import GOALS, Recommendation, Wanted, Wishes, facts_of, pipeline_file, recommended, seconds_of, stages
from tunesmith_wizard.flows.changes import Change
from tunesmith_wizard.flows.engines import serving
from tunesmith_wizard.flows.recommendation_page import show, show_refused
from tunesmith_wizard.flows.workshop import Workshop
from tunesmith_wizard.pipelines import Ending, finish, steps_of, text_of
from tunesmith_wizard.question import Option, Question, existing_file

_COLUMNS = re.compile(r"--columns '?([^`']+)")  # how an error says which column may be which
_SEVERAL = ("quantize", "export", "train")  # whose result can be talked to, the last one first


def tune(shop: Workshop) -> int:
    file, columns = _data(shop)
    found, wanted = _recommended(shop, file, Wishes(columns=columns))
    pipeline = dict(found.pipeline)
    interview = shop.interview
    while True:
        options = [
            Option("take", _("take it")), Option("change", _("change something")), Option("goal", _("another goal, or other time")),
            Option("others", _("see what was looked at and not taken")),
        ]  # fmt: skip
        answer = interview.choose("recommendation", _("Is that what you want?"), options, "take", reason=_reason(found, pipeline))
        if answer == "take":
            break
        if answer == "others":
            show_refused(interview, found)
        elif answer == "goal":
            found, wanted = _recommended(shop, file, Wishes(columns=columns))
            pipeline = dict(found.pipeline)
        else:
            pipeline = Change(shop, pipeline, found, wanted).ask()
    text = pipeline_file(found, wanted) if pipeline == found.pipeline else text_of(pipeline)
    return finish(interview, text, Ending(talk=_talked(shop, pipeline)))


def _data(shop: Workshop) -> tuple[Path, dict[str, str]]:
    """A file that can be trained on, and which of its columns is which, where that has to be said."""
    interview = shop.interview
    help = _("Questions with their answers, conversations, or plain texts: JSON lines, JSON, CSV, Parquet or text.")
    while True:
        text = interview.ask(Question("data", _("Which file holds your examples?"), help=help, check=existing_file, paths=True))
        columns: dict[str, str] = {}
        while True:
            try:
                facts = facts_of(Path(text), columns)
                if renaming := facts["renaming"]:
                    columns = _columns(shop, ",".join(f"{name}={column}" for name, column in renaming.items()))
                    facts = facts_of(Path(text), columns)
                _tell(shop, facts)
                return Path(text), columns
            except TunesmithError as trouble:
                error = trouble
                interview.trouble(error)
                if not interview.there and not interview.answers.given:
                    raise
            if not (told := _COLUMNS.search(error.fix)):  # there are no columns that could be named
                break
            options = {"columns": _("say which column is which"), "file": _("another file")}
            if interview.choose("instead", _("What then?"), options, "columns", reason=told[1]) == "file":
                break
            columns = _columns(shop, told[1])


def _columns(shop: Workshop, recommended: str) -> dict[str, str]:
    which = _("Which column is which? For example instruction=question,output=answer")
    pairs = shop.interview.ask(Question("columns", which, recommended=recommended, check=_pairs))
    return dict(pair.split("=") for pair in pairs.split(","))  # type: ignore[misc]


def _pairs(text: str) -> str:
    if not all(pair.count("=") == 1 and all(pair.split("=")) for pair in text.split(",")):
        raise ValueError(_("pairs of names with = between are asked for, with commas"))
    return text


def _tell(shop: Workshop, data: dict[str, Any]) -> None:
    """What the rows are."""
    known = {"task": data["task"], "languages": ", ".join(data["languages"]) or "?", "tokens": number(data["tokens"])}
    shop.interview.say(
        _("{rows} rows for {task}, about {tokens} tokens, languages: {languages}", rows=number(data["rows"])
            , **known),
        "good", hanging="  ",
    )  # fmt: skip


def _recommended(shop: Workshop, file: Path, wishes: Wishes) -> tuple[Recommendation, Wanted]:
    """The recommendation for what is wished; another wish where nothing fits."""
    interview = shop.interview
    told = {
        "quality": _("the best answers that fit this machine"), "speed": _("quick answers"),
        "memory": _("the least memory, and a smaller copy"),
        "edge": _("for a phone or a board: a small model, as one file"),
    }  # fmt: skip
    while True:
        goal = interview.choose(
            "goal", _("What matters most?"), [Option(name, told.get(name, name)) for name in GOALS], "quality",
            reason=_("where nothing speaks against it"), help=_("this machine: {facts}", facts=shop.machine.text),
        )  # fmt: skip
        budget = interview.ask(
            Question(
                "budget", _("How long may training take?"), recommended="8h", reason=_("a night"), check=_time, help=_("30m, 4h, 2d ...")
            )
        )
        wishes = replace(wishes, goal=goal, budget=seconds_of(budget))
        interview.say(_("Looking for what suits these rows and fits this machine ..."), "dim")
        try:
            with stages() as tell:
                found = recommended(file, wishes, tell=tell)
            show(interview, *found)
            return found
        except TunesmithError as error:
            interview.trouble(error)
            if not interview.there:
                raise


def _time(text: str) -> str:
    try:
        seconds_of(text)
    except TunesmithError as error:
        raise ValueError(error.fix) from None
    return text


def _reason(found: Recommendation, pipeline: dict[str, Any]) -> str:
    if pipeline == found.pipeline:
        return _("each choice has its reason above")
    return _("it is changed as you said; `tunesmith plan` will say what it needs")


def _talked(shop: Workshop, pipeline: dict[str, Any]) -> str:
    """The step that can be talked to: the server, else what was made last."""
    served = steps_of(pipeline, serving(shop))
    made = [name for verb in _SEVERAL for name in steps_of(pipeline, verb)]
    return next(iter([*served, *made]), "")
