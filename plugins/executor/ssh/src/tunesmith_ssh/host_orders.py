"""What is asked of a host for a try at a job: its answers come from `on_host`, run there by the interpreter that runs here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_ssh import on_host
from tunesmith_ssh.client import SshClient

_NO_FOLDER, _NO_PYTHON = "it does not see the folder", "it does not have"


class HostOrders:
    """
    Args:
        folder: of the try, on the file system of all hosts.
        python: interpreter of the executor's environment, on the same file system.
        setup: lines of shell before a rank is started.
    """

    def __init__(self, client: SshClient, folder: Path, python: str, setup: Sequence[str]) -> None:
        self._client, self._folder, self._python, self._setup = client, folder, python, setup

    def check(self, host: str) -> int:
        """How many steps it has, besides this one.

        Raises:
            TunesmithError: TS-RUN-034, it can't have this one.
        """
        answer = self._ask(host, "check", {}, self._setup)
        if fault := answer.get("fault"):
            raise self._unfit(host, fault)
        return answer["steps"]

    def start(self, host: str, commands: Mapping[int, Sequence[str]], steps_per_host: int) -> bool:
        """Whether it could take these ranks."""
        answer = self._ask(host, "start", {"ranks": commands, "steps_per_host": steps_per_host}, self._setup)
        return "full" not in answer

    def ends(self, host: str, ranks: Sequence[int]) -> Mapping[str, str | None]:
        """How each has ended; None while it runs."""
        return self._ask(host, "state", {"ranks": list(ranks)})["ranks"]

    def stop(self, host: str, ranks: Sequence[int]) -> None:
        self._ask(host, "stop", {"ranks": list(ranks)})

    def _ask(self, host: str, what: str, order: Mapping[str, Any], setup: Sequence[str] = ()) -> Mapping[str, Any]:
        """
        Raises:
            TunesmithError: TS-RUN-031 to TS-RUN-034.
        """
        folder, python = shlex.quote(str(self._folder)), shlex.quote(self._python)
        lines = [
            "set -e", f"[ -d {folder} ] || {{ echo {shlex.quote(f'{_NO_FOLDER} {self._folder}')} >&2; exit 1; }}",
            f"[ -x {python} ] || {{ echo {shlex.quote(f'{_NO_PYTHON} {self._python}')} >&2; exit 1; }}", *setup,
            f"exec {python} -I {shlex.quote(on_host.__file__)} {what} <<'TUNESMITH'",
            json.dumps({"directory": str(self._folder), **order}), "TUNESMITH",
        ]  # fmt: skip
        told, complaints = self._client.run(host, "\n".join(lines) + "\n")
        for line in told.splitlines():
            if line.startswith(on_host.ANSWER):
                answer: Mapping[str, Any] = json.loads(line[len(on_host.ANSWER) :])
                return answer
        raise self._unfit(host, (complaints.splitlines() or ["it gave no answer"])[-1])

    def _unfit(self, host: str, why: str) -> TunesmithError:
        return TunesmithError(
            "TS-RUN-034", f"The host `{host}` can't run the step: {why}", facts={"host": host},
            why="Hosts work on one file system, on which they see the project's folder and its environments under the same paths.",
            fix=f"Look with `ssh {host} ls -d {self._folder} {self._python}`; mount the file system there, or take the host out of "
            "`hosts`.",
        )  # fmt: skip
