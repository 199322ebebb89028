"""Text that grows token by token, without ever showing half a character: one that the text ends within is not shown at all."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_transformers.text.vocabulary import Vocabulary

CONTEXT = 6  # tokens of the prompt that the first new token is decoded after: they decide about its leading space
HALF = "\ufffd"


def incomplete(raw: bytes) -> int:
    """How many bytes at the end begin a character of UTF-8 without ending it."""
    for size in range(1, min(3, len(raw)) + 1):
        byte = raw[-size]
        if byte >= 0xC2:  # it begins a character of 2, 3 or 4 bytes
            return size if size < 2 + (byte >= 0xE0) + (byte >= 0xF0) and byte < 0xF5 else 0
        if byte < 0x80:
            return 0
    return 0


class IncrementalText:
    """Decodes a growing sequence of tokens.

    Only a window of recent tokens is decoded each time. The window begins where the text was known to be whole, so that a token's bytes
    are always decoded together with those that they belong to.
    """

    def __init__(self, vocabulary: Vocabulary, context: Sequence[int] = ()) -> None:
        self._vocabulary = vocabulary
        self._window = [token for token in context[-CONTEXT:] if token not in vocabulary.hidden]
        self._shown = self._certain(vocabulary.decode(self._window))
        self._whole = 0  # tokens of the window up to the last place where the text was whole

    def push(self, token: int) -> str:
        """The text that this token makes certain; often its own, empty while a character is incomplete."""
        if token in self._vocabulary.hidden:  # the bytes around it belong together
            return ""
        self._window.append(token)
        text = self._vocabulary.decode(self._window)
        certain = self._certain(text)
        new = text[self._shown : certain]
        self._shown = max(self._shown, certain)
        if certain == len(text):
            self._slide()
        return new

    def _certain(self, text: str) -> int:
        """How much of the window's text more tokens can't change."""
        # decoders show an incomplete character as one U+FFFD, or one per byte; there may be a real one before it
        half = incomplete(b"".join(map(self._vocabulary.token_bytes, self._window[-4:])))
        return len(text) - min(half, len(text) - len(text.rstrip(HALF)))

    def _slide(self) -> None:
        """Here the text is whole: drop what lies before the previous such place, once there is something to gain."""
        if self._whole > CONTEXT:
            self._window = self._window[self._whole :]
            self._shown = len(self._vocabulary.decode(self._window))
        self._whole = len(self._window)
