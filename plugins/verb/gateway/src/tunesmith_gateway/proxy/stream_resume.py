"""A stream that broke off, taken up at another server.

The same request is asked again. What the new stream says first was sent already: it is compared letter by letter, and only what goes
beyond it is sent on. So nothing is sent twice, and where the two differ the stream ends with an error. It is tried only for requests
whose text a server gives the same each time: greedy ones and those with a seed, of one answer, without log-probabilities or tools.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tunesmith_gateway.api_errors import DONE
from tunesmith_gateway.request.request_body import Body


class Unlike(Exception):
    """The second server says something else than the first."""


@dataclass
class Resumable:
    """What was sent of a stream, whole events only, so that it can be taken up between two of them."""

    chat: bool
    able: bool = True
    id: Any = None  # of the first stream's answer, which all its events carry
    text: str = ""  # sent so far
    finished: bool = False  # it was sent that the answer is whole
    counted: bool = False  # an event without an answer was sent, as usage is
    again_text: str | None = None  # of the stream that takes it up, until it has caught up
    rest: bytes = b""

    @classmethod
    def of(cls, body: Body) -> Resumable | None:
        """None where another try might say something else."""
        asked = body.data
        same = asked.get("temperature") == 0 or asked.get("seed") is not None
        plain = asked.get("n") in (None, 1) and not any(asked.get(name) for name in ("logprobs", "top_logprobs", "tools", "echo"))
        return cls("messages" in asked) if same and plain and ("messages" in asked or isinstance(asked.get("prompt"), str)) else None

    def again(self) -> None:
        """From here on a second server's stream comes."""
        self.again_text, self.rest = "", b""

    def taken(self, piece: bytes) -> bytes:
        """What is to be sent of the events that are whole with this piece.

        Raises:
            Unlike
        """
        *events, self.rest = (self.rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        return b"".join(self._event(event) + b"\n\n" for event in events if self._fits(event))

    def _fits(self, event: bytes) -> bool:
        """Note what an event says; whether anything of it is new."""
        self._rewritten = event
        data = _data(event)
        if data is None:  # a comment, or the end
            return self.again_text is None or event == DONE.strip()
        if self.id is None:
            self.id = data.get("id")
        words = "".join(self._texts(data))
        choices = data.get("choices") or ()
        finished = any(choice.get("finish_reason") for choice in choices)
        if self.again_text is None:
            self.text += words
            self._note(finished, counted=not choices)
            return True
        start = len(self.again_text)
        self.again_text += words
        known = self.text[start : start + len(words)]
        if not words.startswith(known):
            raise Unlike("another server continues it differently")
        new = words[len(known) :]
        self.text += new
        if len(self.again_text) < len(self.text) and finished:
            raise Unlike("another server ends it sooner")
        wanted = new or (finished and not self.finished) or (not choices and not self.counted)
        if not wanted or len(self.again_text) < len(self.text):
            return False
        self._note(finished, counted=not choices)
        self._rewrite(data, new)
        return True

    def _note(self, finished: bool, *, counted: bool) -> None:
        self.finished, self.counted = self.finished or finished, self.counted or counted

    def _event(self, event: bytes) -> bytes:
        return self._rewritten

    def _texts(self, data: dict[str, Any]) -> Iterator[str]:
        for choice in data.get("choices") or ():
            yield str(((choice.get("delta") or {}).get("content") if self.chat else choice.get("text")) or "")

    def _rewrite(self, data: dict[str, Any], words: str) -> None:
        """An event of the second stream as one of the first."""
        data["id"] = self.id
        for choice in data.get("choices") or ():
            if self.chat:
                choice["delta"] = {**(choice.get("delta") or {}), **({"content": words} if words else {})}
                choice["delta"].pop("role", None)
                if not words:
                    choice["delta"].pop("content", None)
            else:
                choice["text"] = words
        self._rewritten = b"data: " + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _data(event: bytes) -> dict[str, Any] | None:
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    try:
        data = json.loads(b"\n".join(lines))
    except ValueError:
        return None
    return data if isinstance(data, dict) else None
