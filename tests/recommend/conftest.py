"""The plugins that are here, for all recommendations of the tests."""

from __future__ import annotations

import pytest

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry

from .world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("rows"), load_registry(load_config()))
