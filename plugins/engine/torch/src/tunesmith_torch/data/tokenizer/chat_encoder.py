"""How a model's conversations become tokens: by its tokenizer's chat template, and by its processor where it sees or hears."""

from __future__ import annotations

from pathlib import Path

from tunesmith.contracts import Artifact
from tunesmith_torch.data.chat_template.eos_tokens import named_ends
from tunesmith_torch.data.multimodal.limits import MediaLimits
from tunesmith_torch.data.tokenizer.chat_tokenizer import ChatTokenizer
from tunesmith_torch.data.tokenizer.loader import directory, load_tokenizer
from tunesmith_torch.data.tokenizer.tokenizer_json import plain_tokenizer


def chat_encoder(source: Artifact | Path | str, *, limits: MediaLimits = MediaLimits()) -> ChatTokenizer:  # noqa: B008
    """The encoder of the model in a directory.

    Args:
        limits: how much of pictures, sounds and videos the model is given.

    Raises:
        UserError: TS-TRAIN-006 and TS-TRAIN-060 for a tokenizer or processor that can't be loaded.
    """
    from tunesmith_torch.data.multimodal.processor import load_processor

    processor = load_processor(source)
    if processor is None:
        return ChatTokenizer(plain_tokenizer(directory(source)) or load_tokenizer(source), named_ends(directory(source)))
    from tunesmith_torch.data.multimodal.chat_processor import ChatProcessor
    from tunesmith_torch.data.multimodal.model_inputs import MediaReader

    return ChatProcessor(processor, MediaReader(processor, limits), named_ends(directory(source)))
