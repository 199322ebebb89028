"""A run that a client has confirmed: `tunesmith run` in a session of its own, which goes on when this server ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith_mcp.tunesmith_command import PROGRAM

START_TIMEOUT = 120.0  # seconds until a run has its number: it is planned before
_POLL = 0.1
_EVENTS = 64 * 1024  # bytes of the beginning of its events in which it tells its number, or why it has none


class RunProcess:
    """
    Args:
        log: where its events and its output go, line by line.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process, self.log = process, log

    @classmethod
    def start(cls, root: Path, home: Path, words: Sequence[str]) -> RunProcess:
        """
        Args:
            root: folder that the command is typed in.
            words: those after `tunesmith run`.
        """
        from tunesmith.config import load_config
        from tunesmith.running.home_permissions import make_home

        make_home(home, load_config(root, home).group)
        folder = home / "mcp"
        folder.mkdir(exist_ok=True)
        log = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}.jsonl"
        with open(log, "xb") as file:
            process = subprocess.Popen(
                [*PROGRAM, "run", *words, "--json"], cwd=root, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                start_new_session=True, env=os.environ | {"TUNESMITH_HOME": str(home)},
            )  # fmt: skip
        return cls(process, log)

    def ended(self) -> bool:
        return self._process.poll() is not None

    async def number(self) -> str:
        """The run's id, once it has one.

        Raises:
            TunesmithError: what it was refused for; TS-MCP-005 when it ended without a word, or has none in time.
        """
        import anyio

        until = time.monotonic() + START_TIMEOUT
        while True:
            over = self.ended() or time.monotonic() > until
            for event in self._events():
                if event.get("event") == "run_started":
                    return str(event["run"])
                if event.get("event") == "error":
                    raise TunesmithError.from_json(event["error"])
            if over:
                self._stop()
                raise TunesmithError(
                    "TS-MCP-005", "the run did not start", why=self._last(), fix=f"What it said is in {self.log}. Try it: tunesmith run"
                )  # fmt: skip
            await anyio.sleep(_POLL)

    def _stop(self) -> None:
        """What was told not to have started does not start later."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def _events(self) -> list[dict[str, Any]]:
        with open(self.log, "rb") as file:
            lines = file.read(_EVENTS).split(b"\n")[:-1]
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                found += [told] if isinstance(told, dict) else []
        return found

    def _last(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]) or "It said nothing."
