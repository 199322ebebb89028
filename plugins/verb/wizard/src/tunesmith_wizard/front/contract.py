"""Who asks, whatever the terminal: what is said and how it is wrapped."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tunesmith_cli.api import colored, safe, terminal_width, wrap
from tunesmith_cli.api import gettext as _

if TYPE_CHECKING:
    from tunesmith_wizard.question import Question

_CODES = {"bold": "1", "dim": "2", "good": "32", "warn": "33"}


class Front(ABC):
    """Says things, asks questions. Texts are wrapped to the terminal."""

    def __init__(self) -> None:
        self.colors = colored(sys.stdout)

    @property
    def width(self) -> int:
        return terminal_width()

    def print(self, text: str = "", style: str = "") -> None:
        """As it stands."""
        shown = f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and self.colors and text else text
        print(shown, flush=True)

    def say(self, text: str = "", style: str = "", indent: str = "", hanging: str = "") -> None:
        """Wrapped; lines after the first are indented by `hanging` more."""
        for part in safe(text).split("\n"):
            for line in wrap(part, self.width, indent, indent + hanging):
                self.print(line, style)

    def introduce(self, question: Question) -> None:
        """What there is to know before a question is asked."""
        self.print()
        if question.help:
            self.say(question.help, "dim")
        if question.reason:
            told = _("recommended: {answer}", answer=question.label(question.recommended))
            self.say(f"{told}{_(': ')}{question.reason}", "good", hanging="  ")

    def answered(self, question: Question, value: str) -> None:
        """A question that was answered before it was asked."""
        self.introduce(question)
        self.say(f"? {question.text} {question.label(value)}", "bold", hanging="  ")

    @abstractmethod
    def ask(self, question: Question) -> str:
        """The answer, checked.

        Raises:
            KeyboardInterrupt: Ctrl-C, or the end of what is typed.
        """
