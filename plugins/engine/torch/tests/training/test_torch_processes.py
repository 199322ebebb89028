"""A step of one process has a group of its own, though there is nobody to meet."""

from __future__ import annotations

import torch

from tunesmith.contracts import Placement
from tunesmith_torch.api.processes import ProcessGroup


def test_one_process_meets_nobody_and_sums_alone():
    group = ProcessGroup()
    mesh = group.joined(Placement(), backend="auto", timeout=10.0)
    try:
        assert (mesh.data_rank, mesh.data_size) == (0, 1)
        assert float(group.sum(torch.tensor(2.5))) == 2.5
        assert group.any(True)
        group.barrier()
    finally:
        group.finish()
