"""What a rank of `ddp` sends, and which settings serve a machine. Standard library and contracts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import EstimateRequest


def shares(request: EstimateRequest) -> Mapping[str, float]:
    """Gradients are summed by a ring once a step: each rank sends nearly twice their bytes (Patarasuk and Yuan, 2009).

    Raises:
        UserError: TS-TRAIN-063 for a backend by which processes can't talk there.
    """
    from tunesmith_torch.api.processes import check_backend

    check_backend(str(request.settings.get("backend", "auto")), request.device)
    count = int(request.settings["num_processes"])
    return {"reduce_step": 2 * (count - 1) / count}


def variants(request: EstimateRequest) -> Sequence[Mapping[str, Any]]:
    """A process for each of several devices; for no more than a batch has rows, for one without rows brings no speed."""
    batch = int(request.step_settings.get("batch_size", len(request.devices)))
    count = min(len(request.devices), batch, int(request.data.get("rows", 0)) or batch)
    return [{"num_processes": count}] if count > 1 else []
