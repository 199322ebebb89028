"""L5: kill any process at any moment; the same command continues, and what it makes is the same artifact."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_host
from tiny_plans import Place

from tunesmith.running.journal.journal import Journal
from tunesmith.running.store.store import Store


def host(directory: Path, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, tiny_host.__file__, str(directory), how], stdout=subprocess.PIPE, text=True)


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def gone(pids: list[int], within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.02)
    return False


def disturb(directory: Path, dice: random.Random, kills: int) -> tuple[dict[str, str], int]:
    """Run until done, killing host or worker on the way, at most `kills` times; the digests and the kills that hit."""
    hits = 0
    while True:
        process = host(directory, dice.choice(["run", "resume"]))
        if hits < kills:
            time.sleep(dice.uniform(0.1, 1.2))
            workers = children(process.pid)
            victim = dice.choice([process.pid, *workers])
            if process.poll() is None:
                os.kill(victim, signal.SIGKILL)
                hits += 1
            if victim == process.pid:
                assert gone(workers), "a worker outlived its host"
        said, _ = process.communicate(timeout=120)
        outcome = json.loads(said) if said else {}
        if outcome.get("state") == "done":
            return outcome["digests"], hits


def check_kills(tmp_path: Path, seed: int, wanted: int) -> None:
    said, _ = host(tmp_path / "undisturbed", "run").communicate(timeout=120)
    undisturbed = json.loads(said)["digests"]
    assert set(undisturbed) == {"a", "b", "c", "d"}
    dice, hits, pipelines = random.Random(seed), 0, 0
    while hits < wanted:
        directory = tmp_path / f"disturbed-{pipelines}"
        digests, more = disturb(directory, dice, wanted - hits)
        hits, pipelines = hits + more, pipelines + 1
        assert digests == undisturbed
        check_home(Place.at(directory).home, undisturbed)


def check_home(home: Path, digests: dict[str, str]) -> None:
    store = Store(home)
    for digest in digests.values():
        store.verify(digest)
    assert len(list(store.root.glob("*/*"))) == len(digests)
    store.staging.sweep()
    assert list((home / "staging").iterdir()) == []
    assert list((home / "work").glob("*/")) == []
    assert {row.state for row in Journal(home).runs()} <= {"done", "failed", "interrupted"}


def test_a_few_kills_change_nothing(tmp_path: Path) -> None:
    check_kills(tmp_path, seed=5, wanted=6)


@pytest.mark.slow
def test_forty_kills_change_nothing(tmp_path: Path) -> None:
    check_kills(tmp_path, seed=20, wanted=40)


def test_a_killed_run_is_called_interrupted_and_goes_on_where_it_was(tmp_path: Path) -> None:
    home = Place.at(tmp_path).home
    process = host(tmp_path, "run")
    while not list((home / "work").glob("*/count.json")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    said, _ = host(tmp_path, "resume").communicate(timeout=60)
    assert json.loads(said)["state"] == "done"
    journal = Journal(home)
    (run,) = journal.runs()
    series = journal.series(journal.steps(run.id)[0].key)["square"]
    assert [at for at, _ in series] == list(range(12))


def test_two_hosts_on_one_home_make_each_artifact_once(tmp_path: Path) -> None:
    both = [host(tmp_path, "run"), host(tmp_path, "run")]
    outcomes = [json.loads(process.communicate(timeout=120)[0]) for process in both]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0]["state"] == "done"
    check_home(Place.at(tmp_path).home, outcomes[0]["digests"])
