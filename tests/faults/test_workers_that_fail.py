"""However a worker ends, the host lives, says what happened and what to do, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest
from tiny_plans import Place, step

from tunesmith.running.worker import processes as workers
from tunesmith_sdk.testing.recorder import Recorder


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("crash", "TS-RUN-010", "RuntimeError: something broke"),
        ("user", "TINY-001", "a row is wrong"),
        ("segfault", "TS-RUN-013", "SIGSEGV"),
        ("kill", "TS-RUN-013", "SIGKILL"),
        ("exit", "TS-RUN-013", "status 7"),
        ("import", "TS-RUN-011", "tiny_missing_library"),
        ("memory", "TS-RUN-012", "out of memory"),
        ("disk", "TS-STORE-001", "The disk is full"),
        ("system-exit", "TS-RUN-010", "SystemExit: 3"),
        ("hang-up", "TS-RUN-013", "ended by SIG"),  # its own reader's SIGKILL or the host's SIGTERM, whichever comes first
    ],
)
def test_every_end_of_a_worker_is_a_coded_error(place: Place, how: str, code: str, words: str) -> None:
    outcome = place.run(step("a", fail=how, to=2), step("b", reads="a"))
    assert (outcome.state, outcome.error.code) == ("failed", code)
    assert words in outcome.error.what
    assert outcome.error.fix
    assert list((place.home / "staging").iterdir()) == []
    assert not (place.home / "store").exists()


def test_a_segfault_leaves_where_it_was_in_the_log(place: Place) -> None:
    outcome = place.run(step("a", fail="segfault", to=2))
    log = Path(outcome.error.fix.partition("Its output is in ")[2].rstrip("."))
    assert "tiny_verbs.py" in log.read_text()


def test_a_missing_verb_is_told(place: Place) -> None:
    assert place.run(step("a", "never_written")).error.code == "TS-RUN-017"


def test_an_interpreter_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    outcome = Place.at(tmp_path).run(step("a"))
    assert (outcome.error.code, outcome.state) == ("TS-RUN-001", "failed")


@pytest.mark.isolated
def test_what_the_host_tells_its_python_is_not_told_to_an_isolated_one(isolated: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    assert isolated.run(step("a")).state == "done"


def test_a_flood_on_stdout_ends_in_a_file_of_bounded_size(place: Place) -> None:
    outcome = place.run(step("a", "shout", to=100_000))  # 100 MB
    assert outcome.state == "done"
    log = next((outcome.directory / "logs").glob("*/stdout.log"))
    assert log.stat().st_size < 40 * 2**20
    assert "cut here" in log.read_text()
    assert (log.with_name("stderr.log")).read_text() == "an error line\n"


def test_a_step_that_heeds_nothing_is_cancelled_within_5_seconds(place: Place) -> None:
    outcome, seconds = place.cancelled(step("a", "stubborn"), when="log")
    assert (outcome.state, outcome.exit_status) == ("cancelled", 130)
    assert seconds < 5


def test_a_step_that_heeds_is_cancelled_at_once_and_keeps_its_work(place: Place) -> None:
    slow = step("a", to=200, pause=0.05)
    outcome, seconds = place.cancelled(slow, when="metric")
    assert (outcome.state, outcome.steps["a"].state) == ("cancelled", "cancelled")
    assert seconds < 2
    assert list((place.home / "work").glob("*/count.json"))


def test_a_step_that_imports_for_a_minute_is_cancelled_at_once_and_cleans_up(place: Place, tmp_path: Path) -> None:
    outcome, seconds = place.cancelled(step("a", "library", fail=str(tmp_path / "clean")), when="log")
    assert outcome.state == "cancelled"
    assert seconds < 2  # the host would have ended it after 2.5
    assert (tmp_path / "clean").exists()


def test_cancelling_twice_does_not_wait(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CANCEL_TIMEOUT", 600.0)
    outcome, seconds = place.cancelled(step("a", "stubborn"), when="log", times=2)
    assert outcome.state == "cancelled"
    assert seconds < 2


def test_what_a_step_started_ends_with_it(place: Place, tmp_path: Path) -> None:
    place.cancelled(step("a", "family", fail=str(tmp_path / "child")), when="log")
    assert not _alive(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("how", ["", "crash", "segfault", "kill", "exit", "hang-up"])
def test_a_daemon_that_a_step_started_ends_with_it(place: Place, tmp_path: Path, how: str) -> None:
    outcome = place.run(step("a", "daemon", fail=f"{tmp_path / 'daemon'}:{how}"))
    assert outcome.state == ("failed" if how else "done")
    assert not _alive(int((tmp_path / "daemon").read_text()))


def test_a_daemon_ends_with_a_cancelled_step(place: Place, tmp_path: Path) -> None:
    outcome, _ = place.cancelled(step("a", "daemon", fail=f"{tmp_path / 'daemon'}:wait"), when="log")
    assert outcome.state == "cancelled"
    assert not _alive(int((tmp_path / "daemon").read_text()))


def test_ranks_meet_whatever_the_homes_name_and_only_the_first_is_heard(place: Place) -> None:
    reporter, place = Recorder(), dataclasses.replace(place, home=place.home.with_name("höme 100%41"))
    outcome = place.run(step("a", "ranks", processes=3), reporter=reporter)
    assert (outcome.state, outcome.metrics["a"]) == ("done", {"ranks": 3.0})
    assert reporter.of("log") == [("a", "info", "rank 0 is here")]
    assert list((place.home / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("how", "code", "words"), [("kill", "TS-RUN-013", "Rank 1 of `a` was ended by SIGKILL"), ("user", "TINY-001", "a row is wrong")]
)
def test_one_ranks_end_ends_all_and_is_named(place: Place, how: str, code: str, words: str) -> None:
    started = time.monotonic()
    outcome = place.run(step("a", "ranks", processes=3, fail=f"1:{how}"))
    assert (outcome.error.code, outcome.state) == (code, "failed")
    assert words in outcome.error.what
    assert time.monotonic() - started < 20  # the others would have waited for 60


def test_a_service_that_dies_fails_the_run_with_its_own_reason(place: Place) -> None:
    outcome = place.run(step("a", to=1), step("api", "faint", reads="a"), step("q", "ask", reads="api"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-013")
    assert "`api` ended with status 3" in outcome.error.what


def test_a_service_that_never_comes_up_fails_the_run(place: Place) -> None:
    outcome = place.run(step("a", to=1), step("api", "faint", reads="a", fail="early"), step("q", "ask", reads="api"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-015")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]
    except OSError:
        return False
