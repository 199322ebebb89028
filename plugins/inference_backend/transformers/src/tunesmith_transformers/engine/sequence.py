"""One answer in the making."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tunesmith_transformers.model.vision import Seen
from tunesmith_transformers.sampling.sampler import Draw
from tunesmith_transformers.sampling.sampling_params import Sampling
from tunesmith_transformers.text.answer_text import Output, Placed
from tunesmith_transformers.text.token_logprob import TokenLogprob


@dataclass(frozen=True)
class Delta:
    """What one step added to an answer.

    Args:
        text: to append.
        tokens: generated so far in all.
        logprobs: of generated tokens whose text is in this or an earlier delta.
        prompt_logprobs: of the prompt's tokens, all at once before the first generated token.
        finish: ``stop``, ``length``, ``cancelled`` or ``error`` in the last delta, else empty.
        error: what went wrong, for ``error``.
    """

    text: str = ""
    tokens: int = 0
    logprobs: tuple[Placed, ...] = ()
    prompt_logprobs: tuple[TokenLogprob, ...] = ()
    finish: str = ""
    error: str = ""


@dataclass(eq=False)
class Sequence:
    """A prompt, what has been generated after it, and how far the model has read both.

    Args:
        prompt: token ids; at least one. Negative ones stand for pictures.
        sampling: what the request asks for.
        output: makes text of the generated tokens.
        receive: called with every `Delta`, on the thread that the engine delivers to.
        seen: what the prompt is to the decoder, where it has pictures.
    """

    prompt: list[int]
    sampling: Sampling
    output: Output
    receive: Callable[[Delta], None]
    seen: Seen | None = None
    tokens: list[int] = field(init=False)  # prompt and answer
    cached: int = 0  # tokens whose keys and values are in the cache
    reused: int | None = None  # tokens of the prompt that had not to be read, because a text before began like it; None: not looked up
    draw: Draw = field(init=False)
    prompt_logprobs: list[TokenLogprob] = field(default_factory=list)  # not yet delivered
    scored: int = 0  # tokens of the prompt whose log-probability is known
    cancelled: bool = False  # set by any thread; the engine looks at it before each step
    arrived: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)
        self.draw = Draw(self.sampling, [token for token in self.prompt if token >= 0])

    @property
    def generated(self) -> int:
        return len(self.tokens) - len(self.prompt)

    @property
    def unread(self) -> int:
        """Tokens that the model has not read yet."""
        return len(self.tokens) - self.cached
