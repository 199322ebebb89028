"""Questions as numbered lines, answered by a number or a word: for terminals that can do no more, and for screen readers."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_cli.api import gettext as _
from tunesmith_wizard.front.contract import Front
from tunesmith_wizard.question import Option, Question


class NumberedLines(Front):
    def ask(self, question: Question) -> str:
        self.introduce(question)
        self.say(f"? {question.text}", "bold", hanging="  ")
        for number, option in enumerate(question.options, 1):
            mark = " *" if option.value in question.recommended.split(",") else ""
            self.say(f"{number}) {option.label}{mark}", indent="  ", hanging="   ")
            if option.help:
                self.say(option.help, "dim", indent="     ")
        while True:
            typed = self._read(question)
            try:
                return question.checked(_meant(typed or question.recommended, question.options))
            except ValueError as error:
                numbers = _("a number from 1 to {count} is asked for", count=len(question.options))
                self.say(f"! {numbers if question.options and not question.open else error}", "warn", hanging="  ")

    def _read(self, question: Question) -> str:
        default = ""
        if question.recommended:
            known = [option.value for option in question.options]
            numbers = [str(known.index(one) + 1) for one in question.recommended.split(",") if one in known]
            default = f" [{','.join(numbers) or question.recommended}]"
        try:
            return input(f"{_('numbers, with commas') if question.several else ''}{default}> ".lstrip()).strip()
        except EOFError:
            raise KeyboardInterrupt from None


def _meant(typed: str, options: Sequence[Option]) -> str:
    """The values that numbers stand for; what is no number is a value itself."""
    if not options:
        return typed
    words = [word.strip() for word in typed.split(",")]
    return ",".join(options[int(word) - 1].value if word.isdigit() and 0 < int(word) <= len(options) else word for word in words)
