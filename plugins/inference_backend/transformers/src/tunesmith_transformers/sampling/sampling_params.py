"""What a request asks of the sampler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tunesmith_transformers.text.grammar import Grammar

#: Least and greatest value of a field, from a request as from a model's own recommendation.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2), "top_p": (0, 1), "top_k": (-1, 2**31 - 1), "min_p": (0, 1), "repetition_penalty": (0.1, 10),
    "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2),
}  # fmt: skip


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen, and when to stop.

    Args:
        max_tokens: new tokens at most; 0 only reads the prompt.
        temperature: 0 takes the likeliest token.
        top_p: choose among the likeliest tokens that together have this probability.
        top_k: choose among so many of the likeliest tokens; 0: no such limit.
        min_p: choose among the tokens that are at least so likely as this share of the likeliest.
        seed: equal seeds give equal answers; None: a different one each time.
        repetition_penalty: logits of all tokens so far, the prompt's too, are divided by it where positive, else multiplied; 1: none.
        presence_penalty, frequency_penalty: taken off the logits of tokens that were generated, once and for each time.
        logit_bias: added to the logits of tokens by id; minus infinity forbids one.
        stop: strings that end the text; they are not part of it.
        ignore_eos: go on after the end-of-text token (for measurements).
        logprobs: alternatives to report beside each generated token's log-probability; None reports nothing.
        prompt_logprobs: the same for the tokens of the prompt.
        grammar: what the answer has to be.
        grammar_after: from this token on; None: from its beginning.
    """

    max_tokens: int = 16
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    grammar: Grammar | None = None
    grammar_after: int | None = None

    @property
    def greedy(self) -> bool:
        return self.temperature == 0

    @property
    def adjusts(self) -> bool:
        """Whether logits are changed before a token is chosen."""
        penalised = self.presence_penalty or self.frequency_penalty or self.repetition_penalty != 1
        return bool(penalised or self.logit_bias or self.grammar)
