"""Small parts of running: locks, plans on disk, digests of files, the local executor, Ctrl-C."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_host
from tiny_plans import Place, plan, step

from tunesmith.contracts.estimates import Estimate
from tunesmith.contracts.provider import Need
from tunesmith.contracts.worker_process import Launch
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.plan import Choice, Decision, Gate, Source
from tunesmith.running.journal.journal import Journal
from tunesmith.running.journal.plan_file import read_plan, write_plan
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.logs import cap, tail


def test_a_lock_is_held_by_one_and_names_its_holder(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "x" / "lock"), FileLock(tmp_path / "x" / "lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    assert second.holder() == str(os.getpid())
    first.release()
    assert not (tmp_path / "x" / "lock").exists()
    with second:
        assert not first.try_acquire()


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from tunesmith.isolation.locks import FileLock;"
        "FileLock(pathlib.Path(sys.argv[1])).acquire(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")])
    assert (tmp_path / "lock").exists()
    assert FileLock(tmp_path / "lock").try_acquire()


def test_waiting_for_a_lock_can_be_given_up(tmp_path: Path) -> None:
    def enough() -> None:
        raise TimeoutError

    with FileLock(tmp_path / "lock"), pytest.raises(TimeoutError):
        FileLock(tmp_path / "lock").acquire(enough)


def test_a_plan_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    first = step("a", to=3)
    record = dataclasses.replace(first.verb, needs=(Need("adapter", "merge", "it must", {"bits": 4}),), capabilities={"merge": "full"})
    second = dataclasses.replace(
        step("b", reads="a"), choices={"adapter": Choice(record, {"r": 8, "parts": ["q", "v"]})},
        estimate=Estimate({"weights": 1.5}, 2.0, ("n",)),
        inputs={"file": Source("file", file=tmp_path / "x.jsonl", digest="sha256:1")}, inserted=True,
    )  # fmt: skip
    made = plan(
        first, second, gates=(Gate("b", "last", "<=", 3.0, "a", "<= 3x a"),), decisions=(Decision("", "w", "r"),), warnings=("careful",),
        outputs=("a", "b"), listeners=(Choice(record, {"to": "elsewhere"}),),
    )  # fmt: skip
    write_plan(dataclasses.replace(made, path=tmp_path / "p.yaml"), tmp_path)
    assert read_plan(tmp_path) == dataclasses.replace(made, path=tmp_path / "p.yaml")


def test_the_local_executor_ends_the_whole_group(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); time.sleep(60)"
    process = LocalStarter().start(Launch((sys.executable, "-c", code), {"EXTRA": "1"}, tmp_path / "out", tmp_path / "err"))
    while not (tmp_path / "out").read_text().endswith("\n"):
        time.sleep(0.01)
    child = int((tmp_path / "out").read_text())
    process.stop(1.0)
    assert process.poll() == -signal.SIGTERM
    until = time.monotonic() + 5
    while time.monotonic() < until and Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text():
        time.sleep(0.01)
    assert time.monotonic() < until


def test_the_local_executor_sets_quiet_defaults_that_the_user_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    code = "import os; print(os.environ['OMP_WAIT_POLICY'], os.environ['PYTHONUNBUFFERED'], os.environ['EXTRA'])"
    process = LocalStarter().start(Launch((sys.executable, "-c", code), {"EXTRA": "1"}, tmp_path / "out", tmp_path / "err"))
    while process.poll() is None:
        time.sleep(0.01)
    assert (tmp_path / "out").read_text() == "ACTIVE 1 1\n"


def test_a_log_is_cut_while_it_grows(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open(log, "ab", buffering=0) as file:
        file.write(b"first\n" + b"x" * 3000)
        cap(log, 1000)
        assert log.stat().st_size < 700
        file.write(b"\nlast\n")
    assert tail(log, 1) == ["last"]
    assert log.read_text().startswith("first\n")
    cap(tmp_path / "absent", 10)
    assert tail(tmp_path / "absent") == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_host_cancels_the_run_in_order(tmp_path: Path, number: int) -> None:
    home = Place.at(tmp_path).home
    host = subprocess.Popen([sys.executable, tiny_host.__file__, str(tmp_path), "run"], stdout=subprocess.PIPE, text=True)
    while not list((home / "work").glob("*/count.json")):
        time.sleep(0.01)
    host.send_signal(number)
    said, _ = host.communicate(timeout=10)
    assert '"state": "cancelled"' in said
    journal = Journal(home)
    (run,) = journal.runs()
    assert (run.state, journal.steps(run.id)[0].state) == ("cancelled", "cancelled")
    assert list((home / "staging").iterdir()) == []
