"""How much `prefix` trains, from the model's sizes alone; and what it does not go with."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import ModelShape


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "keeps_activations": 1.0}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-043 with gradient checkpointing.
    """
    shape = ModelShape.of(request)
    if request.step_settings.get("gradient_checkpointing") is True:
        raise checkpointing()
    if shape is None:
        return {}
    tokens, width = int(request.settings["num_virtual_tokens"]), int(request.settings["encoder_hidden_size"])
    each = shape.kv_heads * shape.head_size
    made = shape.layers * 2 * each
    if not width:
        return {"trainable": float(tokens * made), "keeps_activations": 1.0}
    return {"trainable": float(tokens * each + (each + 1) * width + (width + 1) * made), "keeps_activations": 1.0}


def checkpointing() -> UserError:
    return UserError(
        "TS-TRAIN-043", "A prefix can't be trained with gradient checkpointing",
        why="A layer that computes its activations twice leaves out the key-value cache, and the prefix lies there.",
        fix="Set `gradient_checkpointing: false`, and a lower `max_tokens_per_microbatch` if memory is short.",
    )  # fmt: skip
