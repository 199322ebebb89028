"""The input of models that score, classify or embed: the same tokens and places in training, evaluation and serving. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_data.api import Message, message
from tunesmith_torch.api.objective import LAST, ChatEncoder, TokenSequence

POOLINGS = ("last", "mean", "cls")  #: of a text's last hidden states


def conversation_sequence(chat: ChatEncoder, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = ()) -> TokenSequence:
    """A conversation as the chat template writes it, read at its last token."""
    return _placed(chat.encode(messages, tools), (LAST,))


def text_sequence(chat: ChatEncoder, text: str) -> TokenSequence:
    """A text as the tokenizer writes it, read at its last token."""
    return _placed(chat.encode_text(text), (LAST,))


def words_sequence(chat: ChatEncoder, words: Sequence[str]) -> TokenSequence:
    """Words with a space between them, each read at its last token, where a causal model has read all of it.

    Raises:
        UserError: TS-DATA-020 for none or an empty one; TS-DATA-077 for words that can't be told apart.
    """
    if not words or not all(word.strip() for word in words):
        raise UserError("TS-DATA-020", "The row has no words, or an empty one", fix="Remove it.")
    found = chat.encode_text(" ".join(words), ends=[end - 1 for end in accumulate(len(word) + 1 for word in words)])
    return _placed(found, found.places)


def steps_sequence(
    chat: ChatEncoder, messages: Sequence[Message], steps: Sequence[str], *, separator: str, last_only: bool = False
) -> TokenSequence:  # fmt: skip
    """A prompt and the steps of its solution as one answer, each step read at the last token of its text.

    Args:
        last_only: read at the last step alone.

    Raises:
        UserError: TS-DATA-020 for a solution without steps or with an empty one; TS-DATA-077 and -078 where the tokens at which steps
            end can't be told.
    """
    if not steps or not all(step.strip() for step in steps):
        raise UserError("TS-DATA-020", "The row has no steps, or an empty one", fix="Remove it.")
    ends = [end - len(separator) for end in accumulate(len(step) + len(separator) for step in steps)]
    whole = [*messages, message("assistant", separator.join(steps))]
    found = chat.encode(whole, since=len(whole) - 1, ends=ends[-1:] if last_only else ends)
    return _placed(found, found.places)


def embedded_sequence(chat: ChatEncoder, text: str, pooling: str) -> TokenSequence:
    """A text whose embedding is read: at the end token, which is put behind it (``last``), at all of its tokens (``mean``), or at the first
    (``cls``), which in an encoder sees all others."""
    found = chat.encode_text(text, ended=pooling == "last")
    return _placed(found, embedded_places(pooling, len(found.tokens)))


def embedded_places(pooling: str, length: int) -> Sequence[int]:
    """Where the embedding of a text of `length` tokens is read."""
    return {"last": (LAST,), "cls": (0,)}.get(pooling) or tuple(range(length))


def batches(lengths: Sequence[int], max_tokens: int) -> Iterator[list[int]]:
    """Indices, the longest sequences first, as many at a time as fit into `max_tokens`; a longer one is alone."""
    batch: list[int] = []
    used = 0
    for at in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        if batch and used + lengths[at] > max_tokens:
            yield batch
            batch, used = [], 0
        batch.append(at)
        used += lengths[at]
    if batch:
        yield batch


def _placed(sequence: TokenSequence, places: Sequence[int]) -> TokenSequence:
    return replace(sequence, labels=[False] * len(sequence.tokens), places=tuple(places))
