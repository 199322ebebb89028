"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith_models import ModelShape
from tunesmith_quantization import Sizes, by_size, layerwise, packed_size, refuse_experts
from tunesmith_quantization.estimate import SINGLE

LIBRARY = "AutoRound"
LIBRARIES = 0.45 * 2**30  # resident size of Python with torch, transformers and AutoRound


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and gives on the sequences (of the model and of the quantized one), a layer's training, the libraries.

    Raises:
        UserError: TS-QUANT-008: the model has experts; as `layerwise`.
    """
    refuse_experts(ModelShape.of(request), LIBRARY)

    def disk(sizes: Sizes) -> float:
        return packed_size(sizes.shape, request.settings["bits"], sizes.group_size, zeros=True, ordered=True)

    return layerwise(request, _work, disk, libraries=LIBRARIES)


def _work(sizes: Sizes) -> Mapping[str, float]:
    return {
        "calibration": 3 * sizes.tokens * sizes.shape.hidden * sizes.each,
        "one layer's rounding": 4 * sizes.layer * SINGLE,  # offset, gradient, the best so far, the rounded
        "batch": sizes.batch * 6 * sizes.widest * SINGLE,
    }


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """For `quantize: auto`."""
    return by_size(request, small={"bits": 8})
