"""The answer of one sequence as it grows: text, stop strings, and the log-probabilities that belong to the text shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith_transformers.text.incremental_detokenizer import IncrementalText
from tunesmith_transformers.text.stop_strings import StopFilter
from tunesmith_transformers.text.token_logprob import TokenLogprob
from tunesmith_transformers.text.vocabulary import Vocabulary


@dataclass(frozen=True)
class Placed:
    """A token's log-probability and where in the answer's text the token begins, in characters."""

    offset: int
    entry: TokenLogprob


def begin(vocabulary: Vocabulary, token: int, shown: int, new: int) -> int:
    """Where a token's own text begins, when it made `new` characters certain after `shown` ones.

    They may begin with what an earlier token left incomplete. A token that is no whole character begins where that character does.
    """
    return max(shown, shown + new - len(vocabulary.token_text(token)))


class Output:
    """Feed it tokens; it gives the text to show. Log-probabilities wait until their token's text is shown, and go with it if it is cut."""

    def __init__(self, vocabulary: Vocabulary, prompt: Sequence[int], stops: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        self._text = IncrementalText(vocabulary, prompt)
        self._stops = StopFilter(stops)
        self._decoded = self._shown = 0  # characters
        self._waiting: list[Placed] = []

    def push(self, token: int, entry: TokenLogprob | None) -> tuple[str, tuple[Placed, ...], bool]:
        """(new text, the log-probabilities that go with it, whether a stop string ended the answer)."""
        new = self._text.push(token)
        if entry is not None:
            self._waiting.append(Placed(begin(self._vocabulary, token, self._decoded, len(new)), entry))
        self._decoded += len(new)
        text, stopped = self._stops.push(new)
        self._shown += len(text)
        return text, self._release(), stopped

    def finish(self) -> tuple[str, tuple[Placed, ...]]:
        """What was held back, at the end: text, and also log-probabilities of tokens without text of their own."""
        text = self._stops.flush()
        released, self._waiting = tuple(self._waiting), []
        return text, released

    def _release(self) -> tuple[Placed, ...]:
        ready = [placed for placed in self._waiting if placed.offset < self._shown]
        self._waiting = self._waiting[len(ready) :]
        return tuple(ready)
