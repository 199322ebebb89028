"""What a rank holds, as shares. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.contracts import EstimateRequest

AHEAD = 2.0  # layers that are whole: the one that computes, and the next, which is gathered meanwhile
ALL = 1e6  # more layers than any model has


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Of parameters, gradients and the optimizer's state on this rank's device (arXiv:1910.02054, 5), and the layers that are whole."""
    settings = request.settings
    together = int(settings["shard_size"]) or int(settings["num_processes"])
    share = 0.0 if settings["cpu_offload"] and request.device != "cpu" else 1.0 / together
    gathered = AHEAD if settings["reshard_after_forward"] else ALL
    return {"parameters": share, "gradients": share, "optimizer": share, "gathered": 0.0 if together == 1 else gathered}
