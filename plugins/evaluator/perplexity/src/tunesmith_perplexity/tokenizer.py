"""The tokenizer of what is evaluated."""

from __future__ import annotations

from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_torch.api.text import ChatTokenizer, load_tokenizer


def encoder_of(subject: Artifact) -> ChatTokenizer:
    """How its conversations become tokens; with pictures and sounds for a model that is computed here and takes them.

    Raises:
        UserError: as `tokenizer_of`, and as `chat_encoder`.
    """
    if subject.format.startswith("endpoint/"):
        return ChatTokenizer(tokenizer_of(subject))
    from tunesmith_torch.api.text import chat_encoder

    return chat_encoder(subject)


def tokenizer_of(subject: Artifact) -> Any:
    """A model's own; an endpoint's is that of the model behind it, from the files beside its weights or out of its GGUF.

    Raises:
        UserError: TS-SERVE-024 when it is not known which model an endpoint serves; TS-TRAIN-006 when that has no tokenizer.
    """
    if not subject.format.startswith("endpoint/"):
        return load_tokenizer(subject)
    model = subject.refs.get("model")
    if model is None:
        raise UserError(
            "TS-SERVE-024", "It is not known which model the endpoint serves, so neither is its tokenizer",
            fix="Serve the model in the same pipeline: `serve` tells the evaluator of it.",
        )  # fmt: skip
    return load_tokenizer(model)
