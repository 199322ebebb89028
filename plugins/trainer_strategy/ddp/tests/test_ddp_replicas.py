"""What `ddp` refuses. That it learns what one process learns is shown in tests/strategies."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Placement, UserError
from tunesmith_ddp.settings import ReplicaSettings
from tunesmith_ddp.strategy import Replicas


@pytest.mark.parametrize("backend", ["nccl", "telepathy"])
def test_a_backend_that_is_not_here_is_refused(backend: str):
    with pytest.raises(UserError, match="TS-TRAIN-063"):
        Replicas(ReplicaSettings(backend=backend)).start(Placement())
