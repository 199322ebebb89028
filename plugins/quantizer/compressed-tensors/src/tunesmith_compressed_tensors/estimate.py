"""Memory and disk of quantizing, from the model's sizes alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.estimates import Estimate, EstimateRequest
from tunesmith.errors import UserError
from tunesmith_compressed_tensors.schemes import SCHEMES
from tunesmith_quantization import Sizes, by_size, layerwise, packed_size
from tunesmith_quantization.estimate import SINGLE

LIBRARIES = 0.46 * 2**30  # resident size of Python with torch, transformers and LLM Compressor


def estimate(request: EstimateRequest) -> Estimate:
    """The model, what a layer reads and gives on the rows, the Hessians of a layer's matrices, the libraries.

    Raises:
        UserError: TS-QUANT-006 when the scheme has no groups; as `layerwise`.
    """
    settings = request.settings
    scheme = SCHEMES[settings["scheme"]]
    if settings["group_size"] and not scheme.grouped:
        raise UserError(
            "TS-QUANT-006", f"`group_size` has no effect with the scheme {settings['scheme']}",
            why="Its weights share a scale by row or by matrix, as engines' kernels for it want.",
            fix="Leave `group_size` out, or write `scheme: W4A16` or `scheme: W8A16`.",
        )  # fmt: skip

    def work(sizes: Sizes) -> Mapping[str, float]:
        shape = sizes.shape
        hessians = sum(one.inputs**2 * one.count for one in shape.linears) / shape.layers if settings["algorithm"] == "gptq" else 0
        return {
            "calibration": 2 * sizes.tokens * shape.hidden * sizes.each,
            "Hessians": (hessians + 2 * sizes.widest**2) * SINGLE,
            "batch": sizes.batch * 4 * sizes.widest * SINGLE,
        }

    def disk(sizes: Sizes) -> float:
        return packed_size(sizes.shape, scheme.bits, sizes.group_size)

    return layerwise(request, work, disk, libraries=LIBRARIES, grouped=scheme.grouped)


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """For `quantize: auto`: of batch work activations in int8, too, whose products devices compute quickest."""
    if request.step_settings.get("use") == "batch":
        return [{"scheme": "W8A8"}]
    return by_size(request, small={"scheme": "W8A16"})
