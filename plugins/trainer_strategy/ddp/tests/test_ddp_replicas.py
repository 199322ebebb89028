"""What `ddp` refuses. That it learns what one process learns is shown in tests/strategies."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest
import torch

from tunesmith.contracts import Placement, UserError
from tunesmith_ddp.settings import ReplicaSettings
from tunesmith_ddp.strategy import Replicas


@pytest.mark.parametrize("backend", ["nccl", "telepathy"])
def test_a_backend_that_is_not_here_is_refused(backend: str):
    with pytest.raises(UserError, match="TS-TRAIN-063"):
        Replicas(ReplicaSettings(backend=backend)).start(Placement())


class Small:
    """A source of one layer."""

    path = Path()

    def load(self, device, *, separate=False):
        return torch.nn.Linear(4, 4).to(device)


def test_nothing_of_a_replica_holds_the_group_of_processes_when_that_ends(tmp_path: Path):
    strategy = Replicas(ReplicaSettings())
    strategy.start(Placement(rendezvous=f"file://{tmp_path / 'rendezvous'}"))
    training = strategy.prepare(Small(), lambda model: torch.optim.SGD(model.parameters()))
    training.forward_backward([torch.ones(2, 4)], lambda output, at: output.sum())
    reducers = weakref.ref(training.module.reducer)
    strategy.finish()
    assert reducers() is None, "a reducer that ends the group waits for gloo's thread with Python locked"
