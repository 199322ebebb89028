"""Whether a model sees or hears, by its configuration."""

from __future__ import annotations

import json
from pathlib import Path

#: What transformers' configurations call their parts that see or hear.
_ENCODER_CONFIGS = ("vision_config", "audio_config", "encoder_config", "thinker_config")


def is_multimodal(path: Path) -> bool:
    """Whether the configuration in `path` is of a model that sees or hears."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # whoever loads it says so
    return any(name in config for name in _ENCODER_CONFIGS)
