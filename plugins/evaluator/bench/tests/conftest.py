"""Puts the clock and the server that stand in for real ones in reach of the tests here."""

import sys
from pathlib import Path

import pytest

from tunesmith_bench.load import client_lag

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _coarse_ticks(monkeypatch):
    """Hours of virtual time are not looked at every 20 ms."""
    monkeypatch.setattr(client_lag, "TICK", 5.0)
