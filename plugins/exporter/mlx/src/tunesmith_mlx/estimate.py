"""Memory and disk of a conversion to MLX, and whether the groups fit the model. Standard library and contracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Estimate, EstimateRequest
from tunesmith_mlx.settings import GROUPS
from tunesmith_models import ModelShape
from tunesmith_models.group_size import fitting_group_size

LIBRARIES = 350e6  # resident after importing mlx, mlx-lm and transformers
SCALES = 2  # of a group: a scale and an offset
DTYPES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}


def estimate(request: EstimateRequest) -> Estimate:
    """What is written, and the largest of the model and that in memory: MLX maps the files and computes what it saves.

    Raises:
        UserError: as `check_groups`.
    """
    shape, settings = ModelShape.of(request), request.settings
    if shape is None:
        note = "the model's sizes are unknown; guessed from its files"
        return Estimate({"libraries": LIBRARIES, "weights": request.input_bytes * 2}, disk=request.input_bytes * 2, notes=(note,))
    check_groups(shape, settings)
    stored = request.input_bytes / shape.parameters if request.input_bytes else 2.0
    each = stored if settings["dtype"] == "auto" else DTYPES[settings["dtype"]]
    matrices = shape.parameters - shape.others
    rounded = settings["bits"] / 8 + SCALES * each / settings["group_size"] if settings["bits"] else each
    disk = matrices * rounded + shape.others * each
    return Estimate({"libraries": LIBRARIES, "weights": shape.parameters * stored, "written": disk}, disk=disk)


def check_groups(shape: ModelShape | None, settings: Mapping[str, Any]) -> None:
    """mlx-lm leaves a matrix whole whose rows are no whole number of groups, and says nothing of it.

    Raises:
        UserError: TS-QUANT-001 where there is such a matrix.
    """
    if settings["bits"]:
        fitting_group_size(shape, settings["group_size"], GROUPS)
