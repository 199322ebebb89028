"""The process that speaks to Ray for an executor, started when there is a question, and again where it was lost."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.errors import TunesmithError

TIMEOUT = 50.0  # seconds for an answer, the first as well
LOG = "ray-driver.log"


class DriverProcess:
    """A context, at whose end the process has ended; what it has made in the cluster stays.

    Args:
        address: of the cluster.
        directory: for what it prints.
    """

    def __init__(self, address: str, directory: Path) -> None:
        self._address, self._log = address, directory / LOG
        self._process: subprocess.Popen[bytes] | None = None
        self._resources: Mapping[str, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> DriverProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def resources(self) -> Mapping[str, float]:
        """Of all nodes together, by Ray's names."""
        with self._lock:
            self._start()
            return self._resources

    def ask(self, what: str, **order: Any) -> Mapping[str, Any]:
        """
        Raises:
            TunesmithError: TS-RUN-035, the cluster can't be reached or does not answer; TS-RUN-030, it refuses.
        """
        with self._lock:
            process = self._start()
            assert process.stdin is not None
            process.stdin.write(json.dumps({"what": what, **order}).encode() + b"\n")
            process.stdin.flush()
            answer = self._answer(process)
        if "failed" in answer:
            raise TunesmithError(
                "TS-RUN-030", f"Ray does not do what it is asked for ({what}): {answer['failed']}",
                fix="Look into Ray's own logs, and at `ray status`.",
            )  # fmt: skip
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            with open(self._log, "ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tunesmith_ray.driver", self._address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
            told = self._answer(self._process)
            if "absent" in told:
                self._end()
                raise self._absent(told["absent"])
            self._resources = told["resources"]
        return self._process

    def _absent(self, why: str) -> TunesmithError:
        return TunesmithError(
            "TS-RUN-035", f"The Ray cluster at {self._address} can't be reached: {why}", why=f"What Ray printed is in {self._log}.",
            fix="Compare `address` with what `ray start --head` printed; this machine must be one of the cluster's nodes.",
        )  # fmt: skip

    def _answer(self, process: subprocess.Popen[bytes]) -> Mapping[str, Any]:
        """The next line; a process that gives none is ended, so that its late answer is not taken for another's."""
        assert process.stdout is not None
        until, data = time.monotonic() + TIMEOUT, b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
            part = process.stdout.read1(65536) if ready else b""  # type: ignore[attr-defined]
            if not part:
                self._end()
                raise self._absent("its driver ended" if ready else f"it did not answer in {TIMEOUT:.0f} s")
            data += part
        answer: Mapping[str, Any] = json.loads(data)
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()
            self._process = None
