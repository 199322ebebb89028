"""How much a method of PEFT trains, from the model's sizes alone; misspelt methods and options are refused here, in the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_models import Linear, ModelShape
from tunesmith_peft.methods import ALL, check, modules_only
from tunesmith_peft.parameter_counts import COUNTS, SHARED, STAND_IN, low_rank


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"trainable": parameters, "modules_only": 1 or 0}``; empty where the sizes are unknown.

    Raises:
        UserError: TS-TRAIN-030 and -031 as `methods.check` does.
    """
    method = str(request.settings["peft_type"])
    return of_method(method, check(method, request.settings["options"]), ModelShape.of(request))


def of_method(method: str, options: Mapping[str, Any], shape: ModelShape | None) -> dict[str, float]:
    """What `method` with all its `options` trains on a model of that shape, and whether it keeps to modules."""
    if shape is None:
        return {}
    return {"trainable": _trainable(method, options, shape), "modules_only": float(modules_only(method, options))}


def _trainable(method: str, options: Mapping[str, Any], shape: ModelShape) -> float:
    if method == "ln_tuning":
        return float((2 * shape.layers + 1) * shape.hidden)
    if method == "trainable_tokens":
        return float(len(options.get("token_indices", ())) * shape.hidden)
    if method == "ia3":
        return float(scaled(shape, options))
    if method == "unilora":
        return float(SHARED[method](options))
    count = COUNTS.get(method)
    trainable = sum(
        one.count * (count(options, one.inputs, one.outputs) if count else low_rank({"r": STAND_IN}, one.inputs, one.outputs))
        for one in adapted(shape, options.get("target_modules"))
    )
    return trainable + (SHARED[method](options) if method in SHARED else 0.0)


def adapted(shape: ModelShape, targets: str | Sequence[str] | None) -> list[Linear]:
    """The matrices that the adapter goes on. Longer names narrow what their last part matches, and a pattern can match anything:
    counting all of those errs on the safe side."""
    if targets is None or isinstance(targets, str) or ALL in targets:
        return list(shape.modules)
    names = {target.rsplit(".", 1)[-1] for target in targets}
    return [linear for linear in shape.modules if linear.name in names]


def scaled(shape: ModelShape, options: Mapping[str, Any]) -> int:
    """(IA)3's factors: one for an output, and for an input of the layers that `feedforward_modules` names."""
    inner = {linear.name for linear in adapted(shape, list(options.get("feedforward_modules") or ()))}
    targets = adapted(shape, options.get("target_modules"))
    return sum(linear.count * (linear.inputs if linear.name in inner else linear.outputs) for linear in targets)


def divides(shape: ModelShape | None, targets: str | Sequence[str] | None, size: int, what: str) -> None:
    """Refuse a block size that does not divide the inputs of every adapted matrix.

    Raises:
        UserError: TS-TRAIN-033.
    """
    for linear in adapted(shape, targets) if shape else ():
        if linear.inputs % size:
            fitting = [block for block in range(size - 1, 1, -1) if all(one.inputs % block == 0 for one in adapted(shape, targets))]
            raise UserError(
                "TS-TRAIN-033", f"`{what}` of {size} does not divide the {linear.inputs} inputs of `{linear.name}`",
                why="The inputs are turned in blocks, and each needs a whole one.",
                fix=f"Set it to {fitting[0]}, which divides all." if fitting else "Choose other `target_modules`.",
            )  # fmt: skip
