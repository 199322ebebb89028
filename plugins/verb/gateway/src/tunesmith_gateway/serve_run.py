"""A run of `tunesmith serve`, started by a command beside it, in a session of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import TunesmithError
from tunesmith_cli.api import RunningEndpoint, running_endpoints
from tunesmith_serve import orphan_reaper

POLL = 0.1
OWN_CLOCK = 24 * 3600.0  # seconds that a run gets to end when it is asked to: it keeps its `shutdown_grace` itself
QUOTED = 8  # last lines in an error


@dataclass
class ServeRun:
    """
    Args:
        step: what its step is called, by which it is found.
        log: where its events and its output go.
    """

    home: Path
    step: str
    log: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, home: Path, step: str, words: Sequence[str], *, ours: bool = False) -> ServeRun:
        """Start it.

        Args:
            words: those after `tunesmith serve`.
            ours: it ends when this process does, however that ends.
        """
        log = home / "gateway" / "logs" / f"{step}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tunesmith_cli", "serve", *words, "--as", step, "--json"]
        if ours:
            command = [sys.executable, "-I", "-S", orphan_reaper.__file__, str(os.getpid()), str(OWN_CLOCK), *command]
        with open(log, "ab") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "TUNESMITH_HOME": str(home)},
            )  # fmt: skip
        return cls(home, step, log, process)

    def wait(self, timeout: float) -> RunningEndpoint:
        """Its endpoint, once it answers.

        Raises:
            TunesmithError: TS-SERVE-045 when it has ended before, or takes too long; then it is ended.
        """
        until = time.monotonic() + timeout
        while True:
            for endpoint in running_endpoints(self.home):
                if endpoint.step == self.step:
                    return endpoint
            status = self.process.poll()
            if status is not None or time.monotonic() > until:
                self.stop()
                how = f"ended with status {status}" if status is not None else f"was not up within {timeout:g} seconds"
                why, fix = self._why()
                told = f"What it said is in {self.log}."
                raise TunesmithError("TS-SERVE-045", f"`tunesmith serve` {how}", why=why, fix=f"{fix} {told}" if fix else told)
            time.sleep(POLL)

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def ended(self, timeout: float | None = None) -> bool:
        """Wait until it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        return self.process.poll() is not None

    def _why(self) -> tuple[str, str]:
        """Why, and what to do, in its own words."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in reversed(lines):
            with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):
                error = json.loads(line).get("error")
                if error:
                    return f"{error['code']}: {error['what']} {error['why']}".strip(), str(error.get("fix", ""))
        return "\n".join(lines[-QUOTED:]) or "It said nothing.", ""
