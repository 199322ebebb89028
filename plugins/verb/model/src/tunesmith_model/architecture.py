"""What a model is made of, from its configuration."""

from __future__ import annotations

from typing import Any

from tunesmith_model.source import Model
from tunesmith_models import ModelShape, stored_type, takes

CONTEXT = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
PARTS = ("text", "image", "video", "audio")


def architecture(model: Model) -> dict[str, Any]:
    """Sizes are None where the family is not known; the context is 0 and a modality left out where the configuration does not tell."""
    config, shape = model.config, ModelShape.from_config(model.config, model.bytes)
    text = config.get("text_config")
    inner = {**config, **text} if isinstance(text, dict) else config
    known = model.described
    told = {type: takes(config, type) for type in PARTS} if config else {}
    return {
        "name": next(iter(config.get("architectures") or ()), ""), "family": config.get("model_type", ""),
        "parameters": shape.parameters if shape else round(known.parameters) if known else None,
        "active_parameters": shape.active if shape else None,
        "experts": shape.experts if shape else None, "experts_used": shape.experts_used if shape else None,
        "layers": shape.layers if shape else None, "hidden_size": shape.hidden if shape else None,
        "heads": shape.heads if shape else None, "kv_heads": shape.kv_heads if shape else None,
        "vocabulary": shape.vocabulary if shape else None, "tied": shape.tied if shape else None,
        "kv_bytes_per_token": round(shape.kv_bytes(1)) if shape else None,
        "context": next((int(inner[key]) for key in CONTEXT if inner.get(key)), known.context if known else 0),
        "takes": [type for type, yes in told.items() if yes] or list(known.modalities if known else ()),
        "not_told": [type for type, yes in told.items() if yes is None],
        "dtype": stored_type(config) or "",
        "code": sorted(config.get("auto_map") or ()),
    }  # fmt: skip
