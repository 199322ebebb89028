"""What a rank holds, as shares. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest

AHEAD = 2.0  # layers that are whole: the one that computes, and the next, which is gathered meanwhile


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on this rank's device (arXiv:1910.02054, 5), and the layers that are whole."""
    settings = request.settings
    stage, part = int(settings["stage"]), 1.0 / int(settings["num_processes"])
    away = request.device != "cpu"
    optimizer = 0.0 if away and settings["offload_optimizer"] != "none" else part
    if stage < 3:
        return {"parameters": 1.0, "gradients": part if stage == 2 else 1.0, "optimizer": optimizer, "gathered": 0.0}
    parameters = 0.0 if away and settings["offload_param"] != "none" else part
    return {"parameters": parameters, "gradients": optimizer, "optimizer": optimizer, "gathered": 0.0 if part == 1.0 else AHEAD}
