"""Whether a model sees or hears: which of transformers' classes loads it, and which of its modules do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_torch.data.multimodal.detection import fills_in, is_encoder, is_multimodal

if TYPE_CHECKING:
    import torch


def model_class(path: Path) -> Any:
    """The automatic class for language models that see or hear where `path` holds such a one, that for encoders where it holds one (with
    the head that it was pre-trained with, or without), else that for models that write."""
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForMultimodalLM

    if is_multimodal(path):
        return AutoModelForMultimodalLM
    if fills_in(path):
        return AutoModelForMaskedLM
    return AutoModel if is_encoder(path) else AutoModelForCausalLM


def has_modality_encoders(model: Any) -> bool:
    """Whether the model's configuration is one of several parts, of which text is one."""
    return model.config.get_text_config() is not model.config


def modality_modules(model: Any) -> set[torch.nn.Module]:
    """Every module outside the decoder and its head: vision and audio encoders and their projectors; none for a model of text alone."""
    if not has_modality_encoders(model):
        return set()
    language = {*model.get_decoder().modules(), model.get_output_embeddings()}
    return {module for module in model.modules() if module not in language}
