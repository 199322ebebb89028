"""What a model is quantized for (the setting `use` of the verb `quantize`): what an estimator has to refuse then, and bits by size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import EstimateRequest
from tunesmith.errors import UserError
from tunesmith_models import ModelShape

#: parameters below which 4 bits cost too much: of SmolLM2-135M 10 to 31% of the perplexity (docs/quantizers.md), of larger models far less
#: (Dettmers and Zettlemoyer, The case for 4-bit precision, arXiv:2212.09720)
SMALL = 1e9


def by_size(request: EstimateRequest, *, small: Mapping[str, Any], large: Mapping[str, Any] | None = None) -> Sequence[Mapping[str, Any]]:
    """For a provider's `variants`: settings by the model's size; the defaults where it is not known.

    Args:
        small: for models below a billion parameters; `large`: for others, where they are not the defaults.
    """
    shape = ModelShape.of(request)
    if not request.step_settings.get("use") or shape is None:
        return [{}]
    return [dict(small) if shape.parameters < SMALL else dict(large or {})]


def require_rows(request: EstimateRequest) -> None:
    """For an estimator of a quantizer that calibrates, which `quantize: auto` may come to where the step has no rows.

    Raises:
        UserError: TS-QUANT-009: it has none.
    """
    if request.step_settings.get("use") and "data" not in request.inputs:
        raise UserError(
            "TS-QUANT-009", "it calibrates on rows, and the step has none", why="With `auto` it is left out then.",
            fix="Name rows like those that the model will meet: `data: train.jsonl`.",
        )  # fmt: skip
