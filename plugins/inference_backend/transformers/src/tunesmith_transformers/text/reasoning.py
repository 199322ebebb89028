"""The part of an answer that a model thinks in, between ``<think>`` and ``</think>``."""

from __future__ import annotations

from tunesmith_transformers.text.tags import cut

OPEN, CLOSE = "<think>", "</think>"


class Reasoning:
    """Tells thoughts from the answer that follows them, as the text grows.

    Args:
        begun: the prompt ends within thoughts, so that the answer begins with them.
    """

    def __init__(self, begun: bool) -> None:
        self._text = OPEN if begun else ""  # not shown yet
        self.thinking: bool | None = None  # None until the first characters have told
        self._shown = False  # something of the part that is under way

    def push(self, text: str, last: bool = False) -> tuple[str, str]:
        """(thoughts, answer) that `text` makes certain; with `last`, all that was held back."""
        self._text += text
        thoughts = ""
        if self.thinking is None:
            begins = self._text.lstrip()
            if begins.startswith(OPEN):
                self.thinking, self._text = True, begins[len(OPEN) :]
            elif not last and OPEN.startswith(begins):
                return "", ""
            else:
                self.thinking = False
                self._shown = True  # nothing is taken off an answer without thoughts
        if self.thinking:
            shown, rest = cut(self._text, CLOSE)
            if rest is None and last:
                shown = self._text
            thoughts = self._trimmed(shown)
            if rest is None:
                self._text = self._text[len(shown) :]
                return thoughts, ""
            self.thinking, self._text, self._shown = False, rest, False
        answer, self._text = self._trimmed(self._text), ""
        return thoughts, answer

    def _trimmed(self, text: str) -> str:
        """Without the spaces that a part begins with."""
        text = text if self._shown else text.lstrip()
        self._shown = self._shown or bool(text)
        return text
