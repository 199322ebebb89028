"""Something other than the worker, which knows the token: for tests of what a host makes of it."""

from __future__ import annotations

import dataclasses
import sys

from tunesmith.contracts.worker_process import Launch
from tunesmith.running.worker.local_starter import LocalProcess, LocalStarter

IMPOSTOR = """
import json, os, re, socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(os.environ["TUNESMITH_ADDRESS"])
def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode(); s.sendall(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
send({"method": "$/hello", "params": {"token": os.environ["TUNESMITH_TOKEN"], "rank": 0}})
s.recv(65536)
exec(sys.argv[1])
try:
    while (told := s.recv(65536)) and b"shutdown" not in told:
        pass
except OSError:  # the script has closed it
    time.sleep(60)
"""


class Impostor(LocalStarter):
    """A starter, for tests, that starts a process that says hello and then what `script` says (`s` is the socket)."""

    def __init__(self, script: str) -> None:
        self._script = script

    def start(self, launch: Launch) -> LocalProcess:
        return super().start(dataclasses.replace(launch, command=(sys.executable, "-c", IMPOSTOR, self._script)))
