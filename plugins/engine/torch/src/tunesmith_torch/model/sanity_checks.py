"""Is the model whole? Asked before anything is computed."""

from __future__ import annotations

from typing import Any

import torch

from tunesmith.contracts import Artifact, UserError


@torch.no_grad()
def check_weights(model: Any, base: Artifact) -> None:
    """
    Raises:
        UserError: TS-TRAIN-015 when a weight is no finite number.
    """
    for name, parameter in model.named_parameters():
        # One pass for the many that are well; a sum of finite numbers may be too large for its type, so only then each is looked at.
        if parameter.is_floating_point() and not torch.isfinite(parameter.sum(dtype=torch.float32)) and not torch.isfinite(parameter).all():
            count = int((~torch.isfinite(parameter)).sum())
            raise UserError(
                "TS-TRAIN-015", f"The model {base.path.name} is broken: {count} of {parameter.numel()} numbers of `{name}` are not finite",
                why="Whatever is computed with them is not a number either.",
                fix="Fetch the model again, or go back to a checkpoint from before it was damaged.",
            )  # fmt: skip
