"""Clusters that keep the same promises, each with what the tests do to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from slurm_stand_in import Slurm
from ssh_hosts import SshHosts


class ByName(Protocol):
    """
    Attributes:
        name: of the executor.
        settings: by which it finds the cluster.
    """

    name: str
    settings: Mapping[str, Any]


#: the one whose commands are on the PATH
SLURM = SimpleNamespace(name="slurm", settings={})


class ClusterUnderTest(ByName, Protocol):
    """What the tests do to each."""

    def tries(self) -> int:
        """How often a job was started on it, or put into its queue."""

    def processes(self) -> list[int]:
        """Those that live, of all its jobs."""

    def node_dies(self) -> None:
        """The machine of rank 0 of the last try, with all that runs there: no process gets a last word."""

    def over(self) -> bool:
        """Whether nothing runs on it and nothing waits."""

    def close(self) -> None: ...


class SlurmTested:
    name = "slurm"

    def __init__(self, stand_in: Slurm) -> None:
        self.slurm = stand_in
        self.settings: Mapping[str, Any] = {"requeue": False}

    def tries(self) -> int:
        return len(self.slurm.jobs())

    def processes(self) -> list[int]:
        return self.slurm.processes()

    def node_dies(self) -> None:
        self.slurm.node_dies(self.tries())

    def over(self) -> bool:
        return not self.processes() and not {"PENDING", "RUNNING"} & set(self.slurm.jobs().values())

    def close(self) -> None:
        self.slurm.close()


class SshTested:
    name = "ssh"

    def __init__(self, folder: Path, project: Path) -> None:
        self.ssh, self._project = SshHosts(folder), project
        self.settings: Mapping[str, Any] = {
            "hosts": dict.fromkeys(self.ssh.hosts, 2), "ssh_config": str(self.ssh.config), "host": "127.0.0.1",
        }  # fmt: skip

    def placements(self) -> list[Mapping[str, list[int]]]:
        """Of each try that has its hosts: the ranks of each."""
        found = {}
        for file in self._project.rglob("placement.json"):
            with contextlib.suppress(OSError, ValueError):
                found[file.parent.name] = json.loads(file.read_text())["hosts"]
        return [found[name] for name in sorted(found) if found[name]]

    def tries(self) -> int:
        return len(self.placements())

    def processes(self) -> list[int]:
        return self.ssh.processes()

    def node_dies(self) -> None:
        self.ssh.hosts[next(iter(self.placements()[-1]))].dies()

    def over(self) -> bool:
        return not self.processes()

    def close(self) -> None:
        self.ssh.close()
