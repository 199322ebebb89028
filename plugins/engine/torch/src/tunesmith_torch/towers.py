"""What of a model is not its language part: towers that see or hear, and what projects their output among the words."""

from __future__ import annotations

from typing import Any

import torch


def has_towers(model: Any) -> bool:
    """Whether the model's configuration is one of several parts, of which text is one."""
    return model.config.get_text_config() is not model.config


def tower_modules(model: Any) -> set[torch.nn.Module]:
    """Every module outside the decoder that the head reads; none for a model of text alone."""
    if not has_towers(model):
        return set()
    language = {*model.get_decoder().modules(), model.get_output_embeddings()}
    return {module for module in model.modules() if module not in language}
