"""Bytes that `lion` keeps for each parameter that trains: a mean in float32."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest


def parts(request: EstimateRequest) -> Mapping[str, float]:
    return {"state": 4.0}
