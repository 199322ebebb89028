"""Models with experts, refused by quantizers whose library does not write them as the checkpoint has them."""

from __future__ import annotations

from tunesmith.errors import UserError
from tunesmith_models import ModelShape


def refuse_experts(shape: ModelShape | None, library: str) -> None:
    """For an estimator, and again before a model is loaded: a config may not have been known while planning.

    Args:
        library: its name, for the message.

    Raises:
        UserError: TS-QUANT-008: the model has experts.
    """
    share = sum(one.parameters for one in shape.linears if one.expert) / max(shape.parameters, 1) if shape else 0.0
    if share:
        raise UserError(
            "TS-QUANT-008", f"{library} does not write a model's experts as its checkpoint has them, {share:.0%} of its parameters",
            why="It takes apart what transformers keeps in one tensor, and saves the pieces under names that no reader looks for.",
            fix="Use `awq` or `compressed-tensors`, which write experts so that engines find them.",
        )  # fmt: skip
