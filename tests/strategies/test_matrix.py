"""Every objective with every adapter that a plan takes: two processes of each strategy come to what one comes to."""

from __future__ import annotations

import pytest
from strategies_matrix import SAME, TAKEN, absent, cells, decided, tried

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.mark.parametrize("strategy", sorted({cell.strategy for cell in cells()}))
def test_two_processes_come_to_what_one_comes_to(tmp_path, strategy) -> None:
    if lacks := absent(strategy):
        pytest.skip(f"it needs {lacks}")
    wanted = [cell for cell in cells() if cell.strategy == strategy and decided(cell).state == TAKEN]
    found = tried(wanted, tmp_path)
    assert {cell: said for cell, said in found.items() if said != SAME} == {}
