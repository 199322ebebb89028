"""What a row of `dpo` costs."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest


def parts(request: EstimateRequest) -> Mapping[str, float]:
    """``{"sequences": per row, "reference": models from before training}``."""
    return {"sequences": 2.0, "reference": 1.0}
