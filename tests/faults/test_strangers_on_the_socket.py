"""The worker's socket: strangers are turned away, and nonsense from a worker ends the step, not the host."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

import pytest
from impostor import Impostor
from tiny_plans import Place, step

from tunesmith.contracts.worker_process import Launch
from tunesmith.isolation import protocol
from tunesmith.running.worker.local_starter import LocalProcess, LocalStarter


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("s.sendall(b'\\x80\\x04\\x95 a pickle' * 100)", "TS-RUN-002"),
        ("s.sendall(b'Content-Length: 99999999\\r\\n\\r\\n')", "TS-RUN-002"),
        ("while True: s.sendall(b'noise' * 10000)", "TS-RUN-002"),
        ("s.sendall(b'Content-Length: 3\\r\\n\\r\\nabc')", "TS-RUN-002"),
        ("send({'id': 1, 'result': {'protocol': 'newest'}})", "TS-RUN-005"),
        ("send({'id': 1, 'result': {'protocol': [1]}})", "TS-RUN-005"),
        ("send({'id': 1, 'result': {}})", "TS-RUN-005"),
        ("send({'id': 1, 'result': {'protocol': 1}}); send({'id': 2, 'error': 'what'})", "TS-RUN-002"),
        ("send({'id': 1, 'result': {'protocol': 1}}); send({'id': 2, 'result': [1]})", "TS-RUN-002"),
        ("send({'id': 1, 'result': {'protocol': 1}}); s.close()", "TS-RUN-013"),
        ("send({'id': 1, 'result': {'protocol': 1}}); send({'method': '$/progress', 'params': {'done': 'much'}})", "TS-RUN-002"),
    ],
)
def test_nonsense_from_a_worker_is_a_coded_error(tmp_path: Path, script: str, code: str) -> None:
    outcome = Place.at(tmp_path).run(step("a"), starter=Impostor(script))
    assert (outcome.state, outcome.error.code) == ("failed", code)


class Besieged(LocalStarter):
    """A starter, for this test, that lets strangers in on the socket before it starts the worker."""

    def start(self, launch: Launch) -> LocalProcess:
        path = launch.environment["TUNESMITH_ADDRESS"]
        self.strangers = []
        for words in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"",
            b"\x00" * 4096,
            protocol.encode(protocol.notification("$/hello", {"token": "0" * 64, "rank": 0})),
            protocol.encode(protocol.notification("$/hello", {"token": launch.environment["TUNESMITH_TOKEN"], "rank": 7})),
            protocol.encode({"jsonrpc": "2.0", "id": 2, "result": {"format": "thing/forged"}}),
        ):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.connect(path)
            stranger.sendall(words)
            self.strangers.append(stranger)
        return super().start(launch)


def test_strangers_learn_nothing_and_disturb_nobody(tmp_path: Path) -> None:
    besieged = Besieged()
    outcome = Place.at(tmp_path).run(step("a"), starter=besieged)
    assert outcome.state == "done"
    for stranger in besieged.strangers:
        stranger.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            assert stranger.recv(100) == b""
        stranger.close()


def test_the_socket_lies_where_only_its_owner_can_reach_it(tmp_path: Path) -> None:
    modes = []

    class Looking(LocalStarter):
        def start(self, launch: Launch) -> LocalProcess:
            modes.append(Path(launch.environment["TUNESMITH_ADDRESS"]).parent.stat().st_mode & 0o777)
            return super().start(launch)

    Place.at(tmp_path).run(step("a"), starter=Looking())
    assert modes == [0o700]


def test_a_worker_does_not_work_for_a_host_without_its_token(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    environment = {"TUNESMITH_ADDRESS": str(tmp_path / "s"), "TUNESMITH_TOKEN": "right", "TUNESMITH_RANK": "0"}
    launch = Launch((sys.executable, "-m", "tunesmith.isolation.worker"), environment, tmp_path / "out", tmp_path / "err")
    process = LocalStarter().start(launch)
    sock, _ = listener.accept()
    connection = protocol.Connection(sock)
    assert connection.receive()["params"] == {"token": "right", "rank": 0}
    connection.send(protocol.request(1, "initialize", {"token": "wrong", "rank": 0, "protocol": 1}))
    assert connection.receive() is None
    process.stop(10)
    assert "TS-RUN-003" in (tmp_path / "err").read_text()


def test_the_token_is_not_in_the_environment_of_the_steps_code(tmp_path: Path) -> None:
    outcome = Place.at(tmp_path).run(step("a", "environment"))
    seen = (outcome.artifacts["a"].path / "environment").read_text().split()
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith(("TUNESMITH_TOKEN", "TUNESMITH_ADDRESS", "PYTHONSAFEPATH"))]
