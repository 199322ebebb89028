"""What bitsandbytes can't quantize: experts that transformers keeps in one tensor, most of such a model."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.errors import UserError
from tunesmith_models import ModelShape

EXPERTS = "experts"  # in `llm_int8_skip_modules`: they stay as they are


def check_experts(shape: ModelShape | None, skipped: Sequence[str]) -> None:
    """
    Raises:
        UserError: TS-QUANT-007: the model has experts, and nobody has said that they stay as they are.
    """
    if shape is None or EXPERTS in skipped:
        return
    share = sum(one.parameters for one in shape.linears if one.expert) / max(shape.parameters, 1)
    if share:
        raise UserError(
            "TS-QUANT-007", f"bitsandbytes would leave the model's experts as they are, {share:.0%} of its parameters",
            why="It replaces linear layers one by one, and experts are kept together in one tensor, which is none.",
            fix="Use `awq` or `compressed-tensors`, which take experts apart, or write `llm_int8_skip_modules: [experts]` "
            "if they are to stay.",
        )  # fmt: skip
