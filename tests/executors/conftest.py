"""Clusters, and steps that run on them: the tiny pipeline of the kernel's tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in (str(Path(__file__).parent), str(Path(__file__).parents[2] / "core" / "tests" / "tiny")):
    if folder not in sys.path:
        sys.path.append(folder)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH", ""), folder]))

from clusters import ClusterUnderTest, SlurmTested, SshTested  # noqa: E402
from slurm_stand_in import Slurm  # noqa: E402
from ssh_hosts import MISSING  # noqa: E402
from tiny_plans import Place  # noqa: E402


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path / "project")


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """The stand-in for a Slurm cluster, its commands on the PATH."""
    cluster = Slurm(tmp_path / "slurm")
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield cluster
    cluster.close()


@pytest.fixture
def hosts(tmp_path: Path, place: Place) -> Iterator[SshTested]:
    """Three hosts that are reached over ssh."""
    if MISSING:
        pytest.skip(MISSING)
    cluster = SshTested(tmp_path / "hosts", tmp_path / "project")
    yield cluster
    cluster.close()


@pytest.fixture(params=["slurm", pytest.param("ssh", marks=pytest.mark.slow)])
def cluster(request: pytest.FixtureRequest) -> ClusterUnderTest:
    """Each of the clusters that keep the same promises."""
    return SlurmTested(request.getfixturevalue("slurm")) if request.param == "slurm" else request.getfixturevalue("hosts")
