"""How much `lora` trains, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest
from tunesmith_models import ModelShape

_STACK = {"gate_proj": "gate_up_proj", "up_proj": "gate_up_proj"}  #: which parameter has an expert's matrices


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1, "sees_values": 1 for a start that runs the model}``; without sizes where they are
    unknown."""
    shape = ModelShape.of(request)
    start = {"sees_values": 1.0} if request.settings.get("init_lora_weights") == "eva" else {}
    if shape is None:
        return start
    r, targets = int(request.settings["r"]), list(request.settings["target_modules"])
    every = "all-linear" in targets
    # A longer name (`layers.0.mlp.up_proj`) narrows what its last part matches; counting all of those errs on the safe side.
    names = {target.rsplit(".", 1)[-1] for target in targets}
    adapted = [linear for linear in shape.modules if every or linear.name in names]
    if not request.settings.get("lora_dropout"):
        adapted += [linear for linear in shape.linears if linear.expert and (every or _STACK.get(linear.name, linear.name) in names)]
    # An expert's gate and up are one matrix, so they have one A.
    trainable = sum(
        linear.count * r * (linear.outputs + (0 if linear.expert and linear.name == "up_proj" else linear.inputs)) for linear in adapted
    )
    if "lm_head" in names:
        trainable += r * (shape.hidden + shape.vocabulary)
    return {"trainable": float(trainable), "modules_only": 1.0, **start}
