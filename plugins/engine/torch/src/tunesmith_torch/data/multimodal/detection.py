"""Whether a model sees or hears, or is an encoder, by its configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: What transformers' configurations call their parts that see or hear.
_ENCODER_CONFIGS = ("vision_config", "audio_config", "encoder_config", "thinker_config")
#: Values of `model_type` of models of text that read both ways, whatever head they were saved with; without one, too.
_ENCODERS = {
    "albert", "bert", "camembert", "convbert", "data2vec-text", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "eurobert",
    "gte", "megatron-bert", "mobilebert", "modernbert", "mpnet", "nomic_bert", "rembert", "roberta", "roberta-prelayernorm", "roformer",
    "squeezebert", "xlm-roberta", "xlm-roberta-xl",
}  # fmt: skip
_WRITES = ("ForCausalLM", "LMHeadModel")  #: the same types as decoders
_MASKED = "ForMaskedLM"
#: Types whose first position is the one after that of padding.
_OFFSET = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text", "roberta-prelayernorm", "mpnet"}


def is_multimodal(path: Path) -> bool:
    """Whether the configuration in `path` is of a model that sees or hears."""
    return any(name in _config(path) for name in _ENCODER_CONFIGS)


def is_encoder(path: Path) -> bool:
    """Whether it is of an encoder, as BERT and its like are."""
    return encodes(_config(path))


def encodes(config: Mapping[str, Any]) -> bool:
    """The same of a configuration."""
    names = _architectures(config)
    if any(name.endswith(_MASKED) for name in names):
        return True
    named = str(config.get("model_type")) in _ENCODERS and not config.get("is_decoder")
    return named and not any(name.endswith(_WRITES) for name in names)


def fills_in(path: Path) -> bool:
    """Whether it is of an encoder with the head that it was pre-trained with, which fills in masked words."""
    return any(name.endswith(_MASKED) for name in _architectures(_config(path)))


def encoder_positions(config: Mapping[str, Any]) -> int:
    """Tokens that an encoder can read at once; 0 for another model, or where it is not said."""
    found = int(config.get("max_position_embeddings") or 0) if encodes(config) else 0
    return found - int(config.get("pad_token_id") or 0) - 1 if found and config.get("model_type") in _OFFSET else found


def _architectures(config: Mapping[str, Any]) -> list[str]:
    return [str(name) for name in config.get("architectures") or ()]


def _config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # whoever loads it says so
    return config if isinstance(config, dict) else {}
