"""What is known of one request: when it was to be sent, when it was, and when each piece of its answer came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

WARM_UP, MEASURED, AFTER = "warm-up", "measured", "after"  #: phases of a run


@dataclass(frozen=True)
class Request:
    """
    Args:
        body: of a POST to ``/chat/completions``, without `model`.
        max_tokens: longest answer; 0: the server's own bound.
    """

    body: Mapping[str, Any]
    max_tokens: int = 0


@dataclass
class Record:
    """Times are the event loop's, in seconds.

    Args:
        intended: when it was to be sent: the arrival that was drawn, or the moment at which its place became free.
        sent: when it was.
        pieces: when each piece of text came.
        text: the answer, kept only for whoever counts its tokens.
        usage_tokens, prompt_tokens: as the server counts them; None where it does not say.
        output_tokens: as they are counted for the figures; None where nobody can.
        error: why there is no whole answer; empty where there is one.
    """

    intended: float
    phase: str = MEASURED
    sent: float = 0.0
    pieces: list[float] = field(default_factory=list)
    ended: float = 0.0
    text: str = ""
    usage_tokens: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    error: str = ""

    @property
    def answered(self) -> bool:
        return bool(self.ended and self.pieces and not self.error)

    @property
    def ttft(self) -> float:
        """Seconds from the intended arrival to the first piece of text, so that a late sender hides no wait (coordinated omission)."""
        return self.pieces[0] - self.intended

    @property
    def e2e(self) -> float:
        """Seconds from the intended arrival to the last piece of text."""
        return self.pieces[-1] - self.intended

    @property
    def itl(self) -> float | None:
        """Mean seconds between two tokens after the first: the time between first and last piece over the tokens less one. Pieces do not
        count: a server may send several tokens in one. None where tokens are not known, or are fewer than two."""
        if self.output_tokens is None or self.output_tokens < 2 or len(self.pieces) < 2:
            return None
        return (self.pieces[-1] - self.pieces[0]) / (self.output_tokens - 1)

    @property
    def stall(self) -> float | None:
        """The longest silence in the middle of the answer."""
        return max((after - before for before, after in pairwise(self.pieces)), default=None)

    @property
    def late(self) -> float:
        """Seconds by which it was sent late: the sender's fault."""
        return self.sent - self.intended
