"""Log-probabilities in the two shapes that the OpenAI API has for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tunesmith_transformers.text.answer_text import Placed, begin
from tunesmith_transformers.text.incremental_detokenizer import IncrementalText
from tunesmith_transformers.text.token_logprob import TokenLogprob
from tunesmith_transformers.text.vocabulary import Vocabulary


def chat_logprobs(placed: Iterable[Placed], vocabulary: Vocabulary) -> dict[str, Any]:
    """``{"content": [{"token", "logprob", "bytes", "top_logprobs"}]}``."""

    def item(token: int, logprob: float | None) -> dict[str, Any]:
        return {"token": vocabulary.token_text(token), "logprob": logprob, "bytes": list(vocabulary.token_bytes(token))}

    content = []
    for place in placed:
        top = [item(token, logprob) for token, logprob in place.entry.top]
        content.append(item(place.entry.token, place.entry.logprob) | {"top_logprobs": top})
    return {"content": content, "refusal": None}


def completion_logprobs(placed: Sequence[Placed], vocabulary: Vocabulary, alternatives: int, shift: int) -> dict[str, Any]:
    """Four parallel lists; offsets are moved by `shift` characters (an echoed prompt's length)."""
    entries = [place.entry for place in placed]
    tops = [{vocabulary.token_text(token): logprob for token, logprob in entry.top} if entry.top else None for entry in entries]
    return {
        "tokens": [vocabulary.token_text(entry.token) for entry in entries],
        "token_logprobs": [entry.logprob for entry in entries],
        "top_logprobs": tops if alternatives else None,
        "text_offset": [place.offset + shift for place in placed],
    }


def place_prompt(prompt: Sequence[int], entries: Sequence[TokenLogprob], vocabulary: Vocabulary) -> list[Placed]:
    """A prompt's tokens with their offsets; the first has no log-probability."""
    text, offset, placed = IncrementalText(vocabulary), 0, []
    for token, entry in zip(prompt, [TokenLogprob(prompt[0], None), *entries], strict=True):
        new = len(text.push(token))
        placed.append(Placed(begin(vocabulary, token, offset, new), entry))
        offset += new
    return placed
