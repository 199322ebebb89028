"""Executors may start workers in installations of their own: the version before is taken, others are refused, with the side to upgrade."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from impostor import Impostor
from scripted_host import TOKEN, scripted_host
from tiny_plans import Place, step

from tunesmith.isolation import protocol

N = protocol.VERSION
WORKER = """
send({'id': 1, 'result': {'protocol': %d, 'python': '3.9.1', 'tunesmith': '0.0.9'}})
output = re.search('"output":"([^"]+)"', s.recv(65536).decode())[1]
open(os.path.join(output, "made"), "w").write("x")
send({'id': 2, 'result': {'metrics': {'made': 1}}})
"""
HERE, THERE = "Upgrade tunesmith on this machine", "Upgrade tunesmith where the worker runs"


@pytest.mark.parametrize("version", [N, N - 1])
def test_a_worker_of_this_version_or_the_one_before_is_taken(tmp_path: Path, version: int) -> None:
    outcome = Place.at(tmp_path).run(step("a"), starter=Impostor(WORKER % version))
    assert (outcome.state, outcome.metrics["a"]) == ("done", {"made": 1.0})


@pytest.mark.parametrize(("version", "upgrade"), [(N - 2, THERE), (N + 1, HERE)])
def test_a_worker_of_another_version_is_refused_with_the_side_to_upgrade(tmp_path: Path, version: int, upgrade: str) -> None:
    outcome = Place.at(tmp_path).run(step("a"), starter=Impostor(WORKER % version))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-005")
    assert f"(tunesmith 0.0.9, python 3.9.1) speaks version {version} " in outcome.error.what
    assert upgrade in outcome.error.fix


@pytest.mark.parametrize(("version", "spoken"), [(N - 1, N - 1), (N, N), (N + 1, N)])
def test_a_worker_speaks_the_lower_of_both_versions(tmp_path: Path, version: int, spoken: int) -> None:
    with scripted_host([sys.executable, "-m", "tunesmith.isolation.worker"], tmp_path) as host:
        assert host.ask("initialize", token=TOKEN, rank=0, protocol=version)["result"]["protocol"] == spoken
        assert host.ask("shutdown")["result"] == {}


@pytest.mark.parametrize(("version", "upgrade"), [(N - 2, HERE), (None, THERE), ("1", THERE)])
def test_a_worker_refuses_a_host_that_it_cannot_speak_with(tmp_path: Path, version: object, upgrade: str) -> None:
    with scripted_host([sys.executable, "-m", "tunesmith.isolation.worker"], tmp_path) as host:
        error = host.ask("initialize", token=TOKEN, rank=0, protocol=version)["error"]["data"]
        assert (error["code"], host.process.wait(30)) == ("TS-RUN-005", 1)
        assert upgrade in error["fix"]


def test_what_a_worker_refuses_is_what_the_run_is_told(tmp_path: Path) -> None:
    refusal = protocol.no_common(N + 2, N, "tunesmith 9.0").to_json()
    script = f"send({{'id': 1, 'error': {{'code': {protocol.CRASHED}, 'message': '', 'data': {refusal!r}}}}})"
    outcome = Place.at(tmp_path).run(step("a"), starter=Impostor(script))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-005")
    assert HERE in outcome.error.fix
