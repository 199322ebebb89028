"""The setting `train_on`: which tokens of a conversation are trained on."""

from __future__ import annotations

from dataclasses import replace

from tunesmith_data.api import Row
from tunesmith_torch.api import ChatEncoder, TokenSequence


def trained_on(train_on: str, row: Row, chat: ChatEncoder) -> TokenSequence:
    """The conversation as one sequence, whose labels say which tokens are trained on."""
    answers = [at for at, turn in enumerate(row["messages"]) if turn["role"] == "assistant"]
    since = answers[-1] if answers and train_on == "last_assistant" else 0
    sequence = chat.encode(row["messages"], row.get("tools") or (), since=since)
    if train_on != "all":
        return sequence
    labels = [at > 0 for at in range(len(sequence.tokens))]
    for medium in sequence.media:  # what stands for a picture or sound is nothing to say
        labels[medium.start : medium.stop] = [False] * (medium.stop - medium.start)
    return replace(sequence, labels=labels)
