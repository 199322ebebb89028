"""Stop strings, which may begin in one token and end in another."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_transformers.text.tags import overlap


class StopFilter:
    """Passes text on, up to the first stop string; holds back what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""

    def push(self, text: str) -> tuple[str, bool]:
        """(text to show, whether a stop string was found in it and cut off with all that follows)."""
        if not self._stops:
            return text, False
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self._held = ""
            return text[: min(found)], True
        keep = max((overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], False

    def flush(self) -> str:
        """The text held back, at the end."""
        held, self._held = self._held, ""
        return held
