"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_quantization import Sizes, by_size, layerwise, packed_size
from tunesmith_quantization.estimate import SINGLE

LIBRARIES = 0.46 * 2**30  # resident size of Python with torch, transformers and LLM Compressor


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and computes on all sequences (kept for the search of its scales), the libraries.

    Raises:
        UserError: as `layerwise`.
    """
    settings = request.settings

    def disk(sizes: Sizes) -> float:
        return packed_size(sizes.shape, settings["bits"], sizes.group_size, zeros=not settings["sym"])

    return layerwise(request, _work, disk, libraries=LIBRARIES)


def _work(sizes: Sizes) -> Mapping[str, float]:
    return {
        "calibration": sizes.tokens * (2 * sizes.shape.hidden + sizes.widest) * sizes.each,
        "one layer's copies": 3 * sizes.layer * SINGLE,
        "batch": sizes.batch * 4 * sizes.widest * SINGLE,
    }


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """For `quantize: auto`."""
    return by_size(request, small={"bits": 8})
