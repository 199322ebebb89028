"""What a generated token adds to its answer, whichever engine has chosen it."""

from __future__ import annotations

from collections.abc import Collection

from tunesmith_transformers.engine.sequence import Delta, Sequence
from tunesmith_transformers.text.token_logprob import TokenLogprob


def grown(sequence: Sequence, token: int | None, entry: TokenLogprob | None, ends: Collection[int], *, complete: bool = False) -> Delta:
    """Turn a step's token into text, and see whether the answer is complete.

    Args:
        sequence: has the token already.
        token: None where a step only read.
        entry: the token's log-probability, where it was asked for.
        ends: ids of end-of-text tokens.
        complete: nothing but the end can follow.
    """
    sampling, finish = sequence.sampling, ""
    text, placed, stopped = "", (), False
    if token is not None:
        if token in ends and not sampling.ignore_eos:
            finish = "stop"  # its token is not part of the answer
        else:
            text, placed, stopped = sequence.output.push(token, entry)
    if stopped or (token is not None and complete):
        finish = "stop"
    elif not finish and sequence.generated >= sampling.max_tokens:
        finish = "length"
    if finish and not stopped:
        rest, left = sequence.output.finish()
        text, placed = text + rest, placed + left
    scores, sequence.prompt_logprobs = tuple(sequence.prompt_logprobs), []
    return Delta(text, sequence.generated, placed, scores, finish)
