"""What `fsdp` refuses. That it learns what one process learns is shown in tests/strategies."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Placement, UserError
from tunesmith_fsdp.settings import ShardingSettings
from tunesmith_fsdp.strategy import FullyShardedDataParallel


def test_a_backend_that_is_not_here_is_refused():
    with pytest.raises(UserError, match="TS-TRAIN-063"):
        FullyShardedDataParallel(ShardingSettings(backend="nccl")).start(Placement())


def test_groups_that_do_not_divide_the_processes_are_refused():
    with pytest.raises(UserError, match="TS-TRAIN-064"):
        FullyShardedDataParallel(ShardingSettings(shard_size=4)).start(Placement(processes=6))
