"""Puts the tiny pipeline of the kernel's tests in reach of the tests here and of the workers that they start, in the host's environment
and in an isolated one."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

import pytest

TINY = str(Path(__file__).parents[2] / "core" / "tests" / "tiny")
if TINY not in sys.path:
    sys.path.append(TINY)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), TINY]))

from tiny_plans import Place  # noqa: E402

from tunesmith.config import EnvironmentSettings  # noqa: E402
from tunesmith.contracts.kinds.environment_builder import Recipe  # noqa: E402
from tunesmith.running.outcome import RunOutcome  # noqa: E402


@dataclasses.dataclass
class Isolated(Place):
    """A place whose steps run in an isolated environment that holds nothing but what is always there."""

    directory: Path = Path()

    @property
    def environments(self) -> EnvironmentSettings:
        return EnvironmentSettings(self.directory)

    def run(self, *steps: Any, **more: Any) -> RunOutcome:
        return super().run(*map(_isolated, steps), **more)

    def cancelled(self, *steps: Any, **more: Any) -> tuple[RunOutcome, float]:
        return super().cancelled(*map(_isolated, steps), **more)


def _isolated(step: Any) -> Any:
    packages = {"tiny_verbs": Path(TINY) / "tiny_verbs.py"}
    return dataclasses.replace(step, recipe=Recipe((), packages=packages, plugins=("tunesmith-tiny",)))


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one environment of all these tests is."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def isolated(tmp_path: Path, bare: Path) -> Place:
    """A home for runs whose workers run in an isolated environment."""
    return Isolated(tmp_path / ".tunesmith", tmp_path / "cache", directory=bare)


@pytest.fixture(params=["host", pytest.param("isolated", marks=pytest.mark.isolated)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A home for runs whose workers run in the host's environment, or in an isolated one."""
    return Place.at(tmp_path) if request.param == "host" else request.getfixturevalue("isolated")
