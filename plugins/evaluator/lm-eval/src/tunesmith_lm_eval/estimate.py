"""What a plan can tell: the model's memory from its configuration, and what so many questions can show."""

from __future__ import annotations

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_models import BYTES, ModelShape, compute_type, stored_type
from tunesmith_statistics import resolution

RUNTIME = 900e6  # Python with torch, transformers, datasets and lm-eval


def estimate(request: EstimateRequest) -> Estimate:
    """Weights, and the logits of a batch, which lm-eval holds whole. No terms where the model's sizes are unknown."""
    rows = int(request.data.get("rows", 0)) - int(request.settings["num_fewshot"])
    shape, warnings = ModelShape.of(request), tuple(request.data.get("warnings", ()))
    if shape is None:
        return Estimate({}, decisions=resolution(rows), warnings=warnings)
    each = BYTES[compute_type(str(request.settings["dtype"]), stored_type(shape.config), request)[0]]
    longest = float(request.settings["max_length"])
    if rows > 0 and (characters := float(request.data.get("characters", 0))):
        longest = min(longest, 4 * characters / rows)
    logits = request.settings["batch_size"] * longest * shape.vocabulary * (each + 4)  # and their log_softmax in float32
    return Estimate(
        {"runtime": RUNTIME, "weights": shape.parameters * each, "logits": logits}, decisions=resolution(rows), warnings=warnings
    )
