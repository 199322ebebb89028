"""The pytest plugin: fixtures for tests of plugins. Imports nothing heavy until a fixture makes a model."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``tiny_model(family="llama", seed=0, **config)``: a directory with a tiny real model, made once per session and arguments."""
    made: dict[Any, Path] = {}

    def make(family: str = "llama", seed: int = 0, **config: Any) -> Path:
        from tunesmith_sdk.tiny_models import tiny_model as write

        key = (family, seed, tuple(sorted(config.items())))
        if key not in made:
            made[key] = write(tmp_path_factory.mktemp(family), family=family, seed=seed, **config)
        return made[key]

    return make


@pytest.fixture
def local_step(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """``local_step(inputs=..., settings=..., providers=..., directory=...)``: a step in the test's own process."""
    from tunesmith_sdk.local_step import LocalStep

    def make(directory: Path | None = None, **arguments: Any) -> LocalStep:
        return LocalStep.make(directory or tmp_path_factory.mktemp("step"), **arguments)

    return make


@pytest.fixture(autouse=True)
def _quiet_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle OpenMP threads sleep instead of spinning: tests of two processes on two cores are several times quicker."""
    if "OMP_WAIT_POLICY" not in os.environ:
        monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
