"""A Slurm cluster of Slurm's own daemons on this machine: munged, slurmctld, and a slurmd for each of its nodes. Needs root, as they do."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "srun")
MISSING = "Slurm's own daemons are not here: apt-get install slurmctld slurmd slurm-client munge, as root"
NODES = ("n1", "n2", "n3")
SIGN = "SLURM_JOB_ID"
SETTINGS = """
ClusterName=tried
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
SlurmctldTimeout=10
SlurmdTimeout=10
InactiveLimit=0
KillWait=5
MinJobAge=60
ReturnToService=2
SwitchType=switch/none
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def available() -> bool:
    return os.getuid() == 0 and all(map(shutil.which, PROGRAMS))


class RealSlurm:
    """The cluster in a folder: its daemons, and what a test does to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "state").mkdir()
        host, ports = socket.gethostname(), _free_ports(1 + len(NODES))
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 RealMemory=4000 State=UNKNOWN"
            for name, port in zip(NODES, ports[1:], strict=True)
        )
        (folder / "slurm.conf").write_text(SETTINGS.format(host=host, port=ports[0], folder=folder, nodes=nodes))
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "munge.key").chmod(0o400)
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        munge = (f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid")
        self._start("munged", "munged", "--foreground", "--force", f"--log-file={folder}/munged.log", f"--seed-file={folder}/seed", *munge)
        self._start("slurmctld", "slurmctld", "-D")
        for name in NODES:
            self._start(name, "slurmd", "-D", "-N", name)
        until = time.monotonic() + 60
        while self._asked("sinfo", "--noheader", "--format=%T").split() != ["idle"]:
            assert time.monotonic() < until, self._asked("sinfo")
            time.sleep(0.2)

    def jobs(self) -> dict[int, str]:
        """State of every job that was submitted."""
        lines = self._asked("squeue", "--noheader", "--states=all", "--format=%i %T").splitlines()
        return {int(number): state for number, state in sorted(map(str.split, lines))}

    def processes(self) -> list[int]:
        """Those that live, of all its jobs."""
        return [pid for job in self.jobs() for pid in processes_of(self.folder, job)]

    def node_dies(self, job: int) -> None:
        """The node of a job, with the daemon: nobody gets a last word."""
        name = self._asked("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%N").strip()
        self._daemons.pop(name).kill()
        for pid in processes_of(self.folder, job):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def preempt(self, job: int) -> None:
        self._asked("scontrol", "requeue", str(job))

    def hold(self) -> None:
        """No job starts until `release`."""
        self._asked("scontrol", "update", "PartitionName=main", "State=DOWN")

    def release(self) -> None:
        self._asked("scontrol", "update", "PartitionName=main", "State=UP")

    def close(self) -> None:
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for daemon in reversed(self._daemons.values()):
            daemon.kill()
            daemon.wait()

    def _start(self, name: str, *command: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as output:
            environment = os.environ | self.environment
            self._daemons[name] = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)

    def _asked(self, *command: str) -> str:
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout


def processes_of(folder: Path, job: int) -> list[int]:
    """Those of a job of the cluster in this folder; the daemons that watch over it are none."""
    marks, found = {f"{SIGN}={job}".encode(), f"SLURM_CONF={folder}/slurm.conf".encode()}, []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marks <= set((process / "environ").read_bytes().split(b"\0")):
                found.append(int(process.name))
    return found


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
