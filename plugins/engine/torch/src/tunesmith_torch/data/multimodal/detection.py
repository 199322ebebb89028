"""Whether a model sees or hears, or is an encoder, by its configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What transformers' configurations call their parts that see or hear.
_ENCODER_CONFIGS = ("vision_config", "audio_config", "encoder_config", "thinker_config")


def is_multimodal(path: Path) -> bool:
    """Whether the configuration in `path` is of a model that sees or hears."""
    return any(name in _config(path) for name in _ENCODER_CONFIGS)


def is_encoder(path: Path) -> bool:
    """Whether it is of a model that was saved with the head that fills in masked words, as BERT and its like are."""
    return encodes(_config(path))


def encodes(config: Mapping[str, Any]) -> bool:
    """The same of a configuration."""
    return any(str(name).endswith("ForMaskedLM") for name in config.get("architectures") or ())


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # whoever loads it says so
    return config if isinstance(config, dict) else {}
