"""How much `freeze` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

_BLOCKS = {"self_attn": ("q_proj", "k_proj", "v_proj", "o_proj"), "mlp": ("gate_proj", "up_proj", "down_proj")}


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "of_base": the same, "copies": their share of the model, kept for a reference, "keeps_values":
    1, "modules_only": 1}``; without sizes where they are unknown."""
    shape, settings = ModelShape.of(request), request.settings
    keeps = {"keeps_values": 1.0, "modules_only": 1.0}
    if shape is None:
        return keeps
    last = min(int(settings["trainable_layers"]), shape.layers)
    sizes: dict[str, int] = {}
    for linear in shape.linears:
        sizes[linear.name] = sizes.get(linear.name, 0) + linear.parameters // shape.layers
    whole = (shape.matrices + shape.others - shape.hidden) // shape.layers  # all but the norm after them
    trainable = last * whole + sum(_part(name, sizes, shape, last, whole) for name in settings["trainable_modules"])
    table = shape.vocabulary * shape.hidden
    tables = {"embedding"} if settings["train_embeddings"] else set()
    if settings["train_lm_head"]:
        tables.add("embedding" if shape.tied else "head")
    trainable += len(tables) * table
    return {"trainable": float(trainable), "of_base": float(trainable), "copies": trainable / shape.parameters} | keeps


def _part(name: str, sizes: Mapping[str, int], shape: ModelShape, last: int, whole: int) -> int:
    """Parameters of a named part in the layers that do not train anyway."""
    kind = name.rsplit(".", 1)[-1]
    of_one = sum(sizes[linear] for linear in _BLOCKS.get(kind, (kind,)) if linear in sizes)
    number = next((int(word) for word in name.split(".") if word.isdigit()), None)
    if number is None:
        if kind in ("input_layernorm", "post_attention_layernorm", "norm"):
            return shape.hidden * (1 if kind == "norm" else shape.layers - last)
        return of_one * (shape.layers - last)
    if number >= shape.layers - last:
        return 0
    return whole if kind.isdigit() else of_one
