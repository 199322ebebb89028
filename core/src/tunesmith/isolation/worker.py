"""The process that runs a step: ``python -m tunesmith.isolation.worker``, told by its environment where the host listens.

Standard library and `tunesmith.contracts` only, so that it lives inside any plugin's environment. What libraries print goes where
the executor pointed stdout and stderr; the protocol has a socket of its own, so a print can't touch it (law L3).
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import hmac
import os
import queue
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith import __version__
from tunesmith.contracts.worker_process import STACKS
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith.isolation import parent_death, protocol
from tunesmith.isolation.cancellation import Cancel
from tunesmith.isolation.error_conversion import coded
from tunesmith.isolation.protocol import Connection, Message
from tunesmith.isolation.worker_step import WorkerStep, run_entry

ADDRESS, TOKEN, RANK, HOST = "TUNESMITH_ADDRESS", "TUNESMITH_TOKEN", "TUNESMITH_RANK", "TUNESMITH_HOST_PID"


def connect(address: str) -> Connection:
    """To a Unix domain socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(address)
    return Connection(sock)


class Worker:
    """One worker: its connection, and the flag that tells a step to stop."""

    def __init__(self, connection: Connection, token: str, rank: int) -> None:
        self.connection, self.token, self.rank = connection, token, rank
        self.cancelled = Cancel()
        self.requests: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def initialize(self) -> None:
        """Say who this is, and hear from the host that it is the host."""
        self.connection.send(protocol.notification("$/hello", {"token": self.token, "rank": self.rank}))
        if (message := self.connection.receive()) is None:
            sys.exit("the host closed the connection")
        params = message.get("params", {})
        if message.get("method") != "initialize" or not hmac.compare_digest(str(params.get("token")).encode(), self.token.encode()):
            sys.exit("TS-RUN-003: what listens there does not know this worker's token")
        if (version := protocol.common(params.get("protocol"))) is None:
            error = protocol.no_common(protocol.VERSION, params.get("protocol"), f"tunesmith {__version__}")
            self.connection.send(protocol.failure(message["id"], protocol.CRASHED, error))
            sys.exit(str(error))
        facts = {"python": sys.version.partition(" ")[0], "pid": os.getpid(), "tunesmith": __version__, "protocol": version}
        self.connection.send(protocol.response(message["id"], facts))

    def serve(self) -> None:
        """Answer requests until ``shutdown``."""
        threading.Thread(target=self.read, name="tunesmith-reader", daemon=True).start()
        while True:
            message = self.requests.get()
            if message["method"] == "shutdown":
                self.cancelled.end()
                self.connection.send(protocol.response(message["id"], {}))
                return
            self.connection.write(self.answer(message))

    def read(self) -> None:
        """In a thread of its own: the host's messages, ``$/cancel`` at once. Without a host there is nothing to live for."""
        try:
            while (message := self.connection.receive()) is not None:
                if message.get("method") == "$/cancel":
                    self.cancelled.set()
                elif "id" in message:
                    self.requests.put(message)
                    if message["method"] == "shutdown":
                        return
        except BaseException:
            _log_traceback()
        parent_death.end_group()

    def answer(self, message: Message) -> bytes:
        """The encoded response, so that a result that is no JSON is an error of the step as well."""
        id = message["id"]
        try:
            if message["method"] != "run":
                raise protocol.garbage(f"the request {message['method']!r}")
            return protocol.encode(protocol.response(id, self.run(message["params"])))
        except Cancelled:
            return protocol.encode(protocol.failure(id, protocol.CANCELLED, TunesmithError("TS-RUN-004", "The step was cancelled")))
        except BaseException as error:
            _log_traceback()
            return protocol.encode(protocol.failure(id, protocol.CRASHED, coded(error)))

    def run(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        step = WorkerStep.from_json(params["step"], self.notify, self.cancelled)
        try:
            return run_entry(params["entry"], step, params["step"]["distribution"])
        finally:
            self.notify("$/usage", {"peak_memory": peak_memory()})

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        self.connection.send(protocol.notification(method, params))


def peak_memory() -> int:
    """Bytes that this process had at most, or the largest of those that it started and saw end: resident memory, pages of mapped files
    included. 0 where nobody tells."""
    with contextlib.suppress(OSError, ImportError, LookupError, ValueError):
        import resource

        own = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
        return max(int(own), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024
    return 0


def _log_traceback() -> None:
    with contextlib.suppress(OSError):  # where the log's disk is full, the error itself still gets through
        import traceback  # most steps never need it, and it takes as long to import as `json`

        traceback.print_exc()


def main() -> None:
    faulthandler.enable()
    if STACKS:
        faulthandler.register(STACKS, all_threads=True)
    os.environ.pop("PYTHONSAFEPATH", None)  # was for this interpreter, not for what a step starts
    parent_death.end_with(int(os.environ.pop(HOST, "0")))
    connection = connect(os.environ.pop(ADDRESS))
    worker = Worker(connection, os.environ.pop(TOKEN), int(os.environ.pop(RANK, "0")))
    worker.initialize()
    worker.serve()
    # Not the interpreter's own end: threads that a library left behind must not keep a finished step waiting.
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
