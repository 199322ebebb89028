"""Disk of the folder: the files are copied."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest

LIBRARIES = 90e6  # resident after importing huggingface_hub


def estimate(request: EstimateRequest) -> Estimate:
    return Estimate({"libraries": LIBRARIES}, disk=float(request.input_bytes))
