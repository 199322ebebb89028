"""Asks questions: of the answers that were given before, else of whoever sits there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from tunesmith.errors import TunesmithError, UserError
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import typed, wrap
from tunesmith_wizard.answers import Answers
from tunesmith_wizard.front.contract import Front
from tunesmith_wizard.question import Option, Question


def _wrong(question: Question, given: str) -> str:
    """What is wrong with an answer; empty if nothing is."""
    try:
        question.checked(given)
    except ValueError as error:
        return str(error)
    return ""


def _near(name: str, given: Mapping[str, str]) -> str:
    """An answer that may be meant for this question, as the end of a sentence."""
    near = get_close_matches(name, given, n=1)
    return f", but `{near[0]}`" if near else ""


class Interview:
    """
    Args:
        front: who asks; None: nobody is there to answer.
    """

    def __init__(self, answers: Answers, front: Front, *, there: bool) -> None:
        self.answers, self.front, self.there = answers, front, there
        self.say = front.say

    def ask(self, question: Question) -> str:
        """The answer, checked and kept.

        Raises:
            UserError: TS-WIZARD-002 when nobody is there and the file has no answer, or one that is none.
            KeyboardInterrupt: somebody has had enough.
        """
        name = self.answers.name_of(question.key)
        given = self.answers.given.pop(name, None)
        if given is not None and self.there and (wrong := _wrong(question, given)):  # a folder that has changed since, say
            self.say(f"! {name}: {given}{_(': ')}{wrong}", "warn", hanging="  ")
            given = None
        if given is not None:
            try:
                value = question.checked(given)
            except ValueError as error:
                raise UserError(
                    "TS-WIZARD-002", f"{self.answers.source} answers `{name}` with `{given}`", why=f"{error}",
                    fix=f"Write another answer to: {question.text}",
                ) from None  # fmt: skip
            self.front.answered(question, value)
        elif self.there:
            value = self.front.ask(question)
        else:
            known = ", ".join(option.value for option in question.options)
            raise UserError(
                "TS-WIZARD-002", f"nobody is there to answer `{name}`: {question.text}",
                why=f"stdin and stdout are no terminal, and {self.answers.source} does not answer it{_near(name, self.answers.given)}."
                if self.answers.source
                else "stdin and stdout are no terminal, and no file answers it.",
                fix=f"Write `{name}: ...` into a file for --answers" + (f", with one of {known}." if known else "."),
            )  # fmt: skip
        self.answers.keep(name, value)
        return value

    def choose(self, key: str, text: str, options: Mapping[str, str] | list[Option], recommended: str = "", **more: Any) -> str:
        """One of some options; value -> label where there is nothing more to say of them."""
        listed = options if isinstance(options, list) else [Option(value, label) for value, label in options.items()]
        return self.ask(Question(key, text, listed, recommended, **more))

    def yes(self, key: str, text: str, recommended: str = "yes", **more: Any) -> bool:
        return self.choose(key, text, {"yes": _("yes"), "no": _("no")}, recommended, **more) == "yes"

    def value(self, key: str, text: str, schema: Mapping[str, Any], recommended: Any = None, **more: Any) -> Any:
        """A value under a JSON Schema, in the form in which it is typed as an option."""
        convert = typed(schema)

        def check(words: str) -> str:
            try:
                convert(words)
            except Exception as error:  # argparse's, with the schema's own sentence
                raise ValueError(str(error)) from None
            return words

        shown = "" if recommended is None else recommended if isinstance(recommended, str) else json.dumps(recommended)
        return convert(self.ask(Question(key, text, recommended=shown, check=check, **more)))

    def trouble(self, error: TunesmithError) -> None:
        """Tell what is wrong, where another answer may be right."""
        from tunesmith_cli.api import error_text

        for line in error_text(error, self.front.colors).splitlines():
            for part in wrap(line, self.front.width, "", "        "):
                self.front.print(part)
