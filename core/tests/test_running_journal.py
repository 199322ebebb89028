"""The journal: what is written is there after any kill, several processes share it, a newer one is refused."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tunesmith.errors import TunesmithError, UserError
from tunesmith.running.journal import run_directories as runs
from tunesmith.running.journal.journal import FILE, Journal
from tunesmith.running.journal.records import CacheRow


@pytest.fixture
def journal(tmp_path: Path):
    journal = Journal(tmp_path)
    yield journal
    journal.close()


def test_a_run_and_its_steps_from_start_to_end(journal: Journal) -> None:
    journal.begin_run("r1", "bot", "/p.yaml", ["a", "b"])
    journal.begin_step("r1", "a", "k1", 1)
    journal.end_step("r1", "a", "done", artifact="sha256:1")
    journal.begin_step("r1", "b", "k2", 2)
    journal.end_step("r1", "b", "failed", error=UserError("X-1", "no", fix="yes"))
    journal.end_run("r1", "failed", UserError("X-1", "no", fix="yes"))
    run = journal.run("r1")
    assert (run.pipeline, run.path, run.state, run.error["code"]) == ("bot", "/p.yaml", "failed", "X-1")
    assert run.finished >= run.started
    a, b = journal.steps("r1")
    assert (a.key, a.state, a.artifact, a.attempt, a.error) == ("k1", "done", "sha256:1", 1, None)
    assert (b.key, b.state, b.artifact, b.attempt, b.error["fix"]) == ("k2", "failed", None, 2, "yes")


def test_a_run_that_goes_on_keeps_its_start_and_its_finished_steps_are_told_anew(journal: Journal) -> None:
    journal.begin_run("r1", "bot", "", ["a", "b"])
    started = journal.run("r1").started
    journal.end_run("r1", "failed", UserError("X-1", "no"))
    journal.begin_run("r1", "bot", "", ["a", "b"])
    run = journal.run("r1")
    assert (run.started, run.finished, run.state, run.error) == (started, None, "running", None)
    assert [step.state for step in journal.steps("r1")] == ["waiting", "waiting"]


def test_a_step_that_had_begun_when_its_run_ended_is_not_called_running(journal):
    journal.begin_run("r1", "p", "", ["tune", "api"])
    journal.begin_step("r1", "api", "k", 1)
    journal.end_run("r1", "serving")
    assert [step.state for step in journal.steps("r1")] == ["waiting", "running"]
    journal.end_run("r1", "failed", UserError("X-1", "no"))
    assert [step.state for step in journal.steps("r1")] == ["waiting", "failed"]


def test_points_of_a_series_replace_each_other_and_a_lost_value_is_nan(journal: Journal) -> None:
    for at, value in ((1, 3.0), (2, math.nan), (1, 2.5), (3, math.inf)):
        journal.metric("k", "loss", at, value)
    (first, second, third) = journal.series("k")["loss"]
    assert first == (1, 2.5)
    assert math.isnan(second[1])
    assert math.isinf(third[1])
    journal.metric("k2", "loss", 2, 9.0)
    journal.hand_series_on("k", "k2")
    assert journal.series("k") == {}
    assert [at for at, _ in journal.series("k2")["loss"]] == [1, 2, 3]


def test_a_decision_made_twice_is_one(journal: Journal) -> None:
    for reason in ("because", "because", "otherwise"):
        journal.decide("r", "a", "merge", reason)
    assert journal.decisions("r") == [("a", "merge", "because"), ("a", "merge", "otherwise")]


def test_events_are_in_order_and_by_step(journal: Journal) -> None:
    for number in range(3):
        journal.event("r", "ab"[number % 2], "info", f"line {number}")
    assert [text for _, _, _, text in journal.events("r")] == ["line 0", "line 1", "line 2"]
    assert [text for _, _, _, text in journal.events("r", "a")] == ["line 0", "line 2"]


def test_the_cache_gives_digest_metrics_and_time(journal: Journal) -> None:
    assert journal.cached("k") is None
    journal.remember(CacheRow("k", "sha256:1", {"loss": 0.5}, 12.0))
    journal.remember(CacheRow("k", "sha256:2", {"loss": 0.25}, 13.0))
    assert journal.cached("k") == CacheRow("k", "sha256:2", {"loss": 0.25}, 13.0)
    made = CacheRow("k", "sha256:2", {"loss": 0.25}, 13.0, {"name": "p", "step": {"to": 3}}, {"from": "sha256:1"}, {"rows": 3})
    journal.remember(made)
    assert journal.cached("k") == made


def test_settings_that_failed_lead_to_those_that_worked(journal: Journal) -> None:
    assert journal.remedied("k") is None
    journal.remedy("k", {"micro_tokens": 2048}, "it did not fit")
    assert journal.remedied("k") == ({"micro_tokens": 2048}, "it did not fit")
    journal.drop_remedy("k")
    assert journal.remedied("k") is None


def test_a_batch_is_written_whole_or_not_at_all(journal: Journal) -> None:
    def half() -> None:
        with journal.batch():
            journal.event("r", "", "info", "half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert journal.events("r") == []
    with journal.batch(), journal.batch():
        journal.event("r", "", "info", "whole")
    assert len(journal.events("r")) == 1


def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from tunesmith.running.journal.journal import Journal;"
        "j = Journal(pathlib.Path(sys.argv[1])); [j.metric('k', 'loss', at, at) for at in range(500)];"
        "b = j.batch(); b.__enter__(); j.metric('k', 'half', 1, 1); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    series = Journal(tmp_path).series("k")
    assert list(series) == ["loss"]
    assert len(series["loss"]) == 500


def test_several_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        journal = Journal(tmp_path)  # also the first opening, at once
        for at in range(50):
            journal.metric("k", f"w{writer}", at, at)
        journal.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(points) for points in Journal(tmp_path).series("k").values()] == [50] * 6


def test_many_may_open_a_new_journal_at_once(tmp_path: Path) -> None:
    wrong: list[BaseException] = []

    def open_it(home: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            Journal(home).close()
        except Exception as error:
            wrong.append(error)

    for number in range(40):  # one in ten went wrong while SQLite was not asked again
        together = threading.Barrier(6)
        threads = [threading.Thread(target=open_it, args=(tmp_path / str(number), together)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(TunesmithError, match="TS-STORE-005"):
        Journal(tmp_path)


def test_a_file_that_is_no_journal_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all, but some text that is long enough" * 20)
    with pytest.raises(TunesmithError, match="TS-STORE-006"):
        Journal(tmp_path)


def test_only_runs_without_a_living_process_are_interrupted(tmp_path: Path, journal: Journal) -> None:
    for run in ("dead", "alive"):
        journal.begin_run(run, "bot", "", ["a"])
        journal.begin_step(run, "a", "k", 1)
    with runs.lock(tmp_path, "alive"):
        assert runs.mark_interrupted(journal, tmp_path) == ["dead"]
    assert {row.id: row.state for row in journal.runs()} == {"dead": "interrupted", "alive": "running"}
    assert journal.steps("dead")[0].state == "interrupted"


def test_a_run_is_found_by_the_beginning_of_its_name_or_as_the_last_unfinished(journal: Journal) -> None:
    for run, state in (("20260101-a", "failed"), ("20260102-b", "done"), ("20260102-c", "done")):
        journal.begin_run(run, "bot", "", [])
        journal.end_run(run, state)
    assert runs.find(journal, None).id == "20260101-a"
    assert runs.find(journal, "20260101").id == "20260101-a"
    journal.begin_run("20260103-d", "preview", "", [], aside=True)  # a command's own
    journal.end_run("20260103-d", "failed")
    assert (runs.find(journal, None).id, runs.find(journal, "20260103").id) == ("20260101-a", "20260103-d")
    assert [row.aside for row in journal.runs()] == [True, False, False, False]
    for name, words in (("20260102", "Several"), ("2030", "no run `2030`")):
        with pytest.raises(UserError, match=f"TS-RUN-021.*{words}"):
            runs.find(journal, name)
