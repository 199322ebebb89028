"""Which of transformers' classes a model's directory is loaded with: by its own configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: What transformers' configurations call their parts that see or hear.
_TOWERS = ("vision_config", "audio_config", "encoder_config", "thinker_config")


def model_class(path: Path) -> Any:
    """The automatic class for language models that see or hear where `path` holds such a one, else that for models of text."""
    from transformers import AutoModelForCausalLM, AutoModelForMultimodalLM

    return AutoModelForMultimodalLM if is_multimodal(path) else AutoModelForCausalLM


def is_multimodal(path: Path) -> bool:
    """Whether the configuration in `path` is of a model with towers."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says so
    return any(name in config for name in _TOWERS)
