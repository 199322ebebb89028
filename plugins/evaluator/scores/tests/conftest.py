"""Tiny models that the tests give roles."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def base(tiny_model) -> Path:
    """A tiny model's directory."""
    return tiny_model()
