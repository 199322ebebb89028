"""Running a plan: order, cache, services, gates, resuming, what the outcome says."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from tiny_plans import Place, plan, step, text

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.cache_files import write_note
from tunesmith.contracts.digests import FileDigests
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import Decision, Gate, PlannedStep, Source
from tunesmith.running.journal.journal import Journal
from tunesmith.running.runner import Runner
from tunesmith.running.store import verification
from tunesmith.running.worker.local_starter import LocalStarter
from tunesmith.running.worker.notifications import USAGE
from tunesmith_cli.commands.resume import check_providers, find_run
from tunesmith_cli.running_endpoints import RunningEndpoint, running_endpoints
from tunesmith_sdk.testing.recorder import Recorder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path)


def test_what_a_library_leaves_in_the_current_directory_is_not_left_in_the_user_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert Place.at(tmp_path).run(step("a", "litter")).state == "done"
    assert not list((tmp_path / "here").iterdir())


def test_steps_run_in_order_and_read_what_the_others_made(place: Place) -> None:
    reporter = Recorder()
    outcome = place.run(step("a", to=3), step("b", reads="a", to=2), reporter=reporter)
    assert (outcome.state, outcome.exit_status) == ("done", 0)
    assert text(outcome, "b") == "[0, 1, 4][0, 1]"
    assert outcome.metrics == {"a": {"last": 4.0}, "b": {"last": 1.0}}
    assert outcome.artifacts["b"].meta == {"count": 2}
    assert [s.name for s, _ in reporter.of("step_started")] == ["a", "b"]
    assert reporter.of("metric")[:3] == [("a", "square", 0.0, 0), ("a", "square", 1.0, 1), ("a", "square", 4.0, 2)]


def test_a_second_run_starts_nothing_and_tells_the_same(place: Place) -> None:
    steps = (step("a", to=3), step("b", reads="a", to=2))
    first, reporter = place.run(*steps), Recorder()
    second = place.run(*steps, reporter=reporter)
    assert reporter.of("step_started") == []
    assert all(s.cached for s in second.steps.values())
    assert second.metrics == first.metrics
    assert second.artifacts == first.artifacts


def test_a_changed_setting_redoes_what_depends_on_it_and_nothing_else(place: Place) -> None:
    place.run(step("a"), step("b", reads="a"), step("c", reads="b"))
    outcome = place.run(step("a"), step("b", reads="a", to=5), step("c", reads="b"))
    assert {name: s.cached for name, s in outcome.steps.items()} == {"a": True, "b": False, "c": False}


def test_refresh_runs_everything_again_to_the_same_digests(place: Place) -> None:
    first = place.run(step("a"), step("b", reads="a"))
    second = place.run(step("a"), step("b", reads="a"), refresh=True)
    assert not any(s.cached for s in second.steps.values())
    assert second.artifacts == first.artifacts


def test_the_work_directory_goes_when_the_artifact_is_there(place: Place) -> None:
    place.run(step("a"))
    assert list((place.home / "work").iterdir()) == []
    assert list((place.home / "staging").iterdir()) == []


def test_a_work_directory_that_a_killed_host_left_goes_with_the_next_run(place: Place) -> None:
    outcome = place.run(step("a"))
    (row,) = Journal(place.home).steps(outcome.run)
    left = place.home / "work" / row.key
    left.mkdir()
    (left / "checkpoint").write_text("x")
    place.run(step("a"))
    assert list((place.home / "work").iterdir()) == []


def test_a_failed_step_ends_the_run_and_keeps_its_work(place: Place) -> None:
    outcome = place.run(step("a"), step("b", reads="a", fail="crash"), step("c", reads="b"))
    assert (outcome.state, outcome.exit_status) == ("failed", 1)
    assert outcome.error.code == "TS-RUN-010"
    assert outcome.error.what == "The step crashed: RuntimeError: something broke"
    assert "Traceback" in Path(outcome.error.fix.removeprefix("The traceback is in ").rstrip(".")).read_text()
    assert {name: one.state for name, one in outcome.steps.items()} == {"a": "done", "b": "failed", "c": "skipped"}
    assert len(list((place.home / "work").iterdir())) == 1
    rows = {row.step: row.state for row in Journal(place.home).steps(outcome.run)}
    assert rows == {"a": "done", "b": "failed", "c": "skipped"}


def test_a_users_mistake_in_a_step_is_exit_status_2(place: Place) -> None:
    outcome = place.run(step("a", fail="user"))
    assert (outcome.error.code, outcome.exit_status) == ("TINY-001", 2)


def test_resume_goes_on_with_the_same_run(place: Place) -> None:
    steps = (step("a"), step("b", reads="a", fail="crash"))
    first = place.run(*steps)
    run, stored = find_run(place.home)
    assert (run, stored) == (first.run, plan(*steps))
    fixed = dataclasses.replace(stored, steps=(stored.steps[0], step("b", reads="a")))
    second = place.run(plan=fixed, resume=run)
    assert (second.state, second.run) == ("done", first.run)
    assert second.steps["a"].cached
    with pytest.raises(TunesmithError, match="TS-RUN-021"):
        find_run(place.home)


class _Registry:
    def __init__(self, steps, version: str = "1.0") -> None:
        self._verbs = {s.verb.name: dataclasses.replace(s.verb, version=version) for s in steps}

    def provider(self, kind: str, name: str):
        return self._verbs[name]


def test_resume_refuses_a_plugin_that_has_changed(place: Place) -> None:
    steps = (step("a", fail="crash"),)
    run = place.run(*steps).run
    with pytest.raises(TunesmithError, match="TS-RUN-024") as caught:
        check_providers(*find_run(place.home, run[:13]), _Registry(steps, version="2.0"))
    assert "tiny 1.0" in caught.value.what
    with pytest.raises(TunesmithError, match="TS-RUN-021"):
        find_run(place.home, "2020")


def test_a_file_that_changed_since_planning_is_noticed(place: Place, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "numbers.txt").write_text("[9]")
    source = Source("numbers/plain", file=data, digest=FileDigests(place.cache)(data))
    reads = dataclasses.replace(step("a", to=1), inputs={"file": source})
    assert text(place.run(reads), "a") == "[9][0]"
    (data / "numbers.txt").write_text("[8]")
    assert place.run(dataclasses.replace(reads, seed=1)).error.code == "TS-RUN-025"
    (data / "numbers.txt").unlink()
    data.rmdir()
    assert "is not there any more" in place.run(dataclasses.replace(reads, seed=1)).error.what


class Editing(LocalStarter):
    """Edits a file whenever a worker has started, as long as there are edits: after its digest was taken, before it is read."""

    def __init__(self, file: Path, *edits: str) -> None:
        self.file, self.edits = file, list(edits)

    def start(self, launch):
        if self.edits:
            stat = self.file.stat()
            self.file.write_text(self.edits.pop(0))
            os.utime(self.file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        return super().start(launch)


@pytest.fixture
def reader(place: Place, tmp_path: Path) -> PlannedStep:
    """A step that reads `numbers.txt` of the user's, planned as it is."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "numbers.txt").write_text("[9]")
    source = Source("numbers/plain", file=folder, digest=FileDigests(place.cache)(folder))
    return dataclasses.replace(step("a", to=1), inputs={"file": source})


def test_a_file_edited_while_its_reader_starts_is_not_kept_under_the_old_ones_key(place: Place, reader: PlannedStep) -> None:
    file = reader.inputs["file"].file / "numbers.txt"
    outcome = place.run(reader, starter=Editing(file, "[8]"))
    assert outcome.error.code == "TS-RUN-025"
    assert not list((place.home / "store").glob("*/*"))
    file.write_text("[9]")
    assert text(place.run(reader), "a") == "[9][0]"


def test_a_file_edited_and_put_back_while_it_is_read_is_read_again(place: Place, reader: PlannedStep) -> None:
    file, reporter = reader.inputs["file"].file / "numbers.txt", Recorder()
    outcome = place.run(reader, starter=Editing(file, "[9]"), reporter=reporter)
    assert text(outcome, "a") == "[9][0]"
    assert "read again" in reporter.of("log")[0][2]
    assert [name for name, _ in reporter.told].count("step_started") == 1


def test_a_file_that_never_rests_is_refused(place: Place, reader: PlannedStep) -> None:
    outcome = place.run(reader, starter=Editing(reader.inputs["file"].file / "numbers.txt", *["[9]"] * 9))
    assert (outcome.error.code, outcome.exit_status) == ("TS-RUN-025", 2)
    assert "was written each time" in outcome.error.what


def test_a_reader_that_fails_on_a_file_edited_meanwhile_says_that_it_was_edited(place: Place, reader: PlannedStep) -> None:
    failing = dataclasses.replace(reader, settings={"to": 1, "fail": "user"})
    outcome = place.run(failing, starter=Editing(reader.inputs["file"].file / "numbers.txt", "[8]"))
    assert outcome.error.code == "TS-RUN-025"
    (reader.inputs["file"].file / "numbers.txt").write_text("[9]")
    assert place.run(failing).error.code == "TINY-001"


def test_a_service_starts_for_a_reader_that_has_to_run_and_only_then(place: Place, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    steps = (step("a"), step("api", "answer", reads="a", fail=str(starts)), step("q", "ask", reads="api"), step("z", to=1))
    reporter = Recorder()
    outcome = place.run(*steps, reporter=reporter)
    assert outcome.metrics["q"] == {"length": 7.0}
    assert outcome.steps["api"].state == "done"
    told = [(name, arguments[0].name) for name, arguments in reporter.told if name in ("step_started", "service_stopped")]
    assert told[:3] == [("step_started", "a"), ("step_started", "api"), ("step_started", "q")]
    assert set(told[3:]) == {("service_stopped", "api"), ("step_started", "z")}
    assert all(s.cached for s in place.run(*steps).steps.values())
    assert starts.read_text() == "x"


def test_a_service_at_the_end_stays_until_the_run_is_stopped(place: Place) -> None:
    outcome, seconds = place.cancelled(step("a"), step("api", "answer", reads="a"), when="service_ready")
    assert (outcome.state, outcome.exit_status) == ("done", 0)
    assert outcome.endpoints["api"]["model"] == "squares"
    assert seconds < 5
    assert Journal(place.home).run(outcome.run).state == "done"


def test_other_processes_of_the_home_find_a_service_for_as_long_as_it_answers(place: Place) -> None:
    found: list[RunningEndpoint] = []

    class Looking(Recorder):
        def service_ready(self, *told: object) -> None:
            found.extend(running_endpoints(place.home))
            runner.cancel()

    runner = Runner(plan(step("a"), step("api", "answer", reads="a")), place, place, reporter=Looking(), keep_serving=True)
    outcome = runner.run()
    (up,) = found
    assert (up.run, up.step, up.pid) == (outcome.run, "api", os.getpid())
    assert up.facts == outcome.endpoints["api"]
    assert list(running_endpoints(place.home)) == []


def test_a_service_whose_host_was_killed_is_not_found_any_more(place: Place) -> None:
    outcome = place.run(step("a"))
    directory = place.home / "runs" / outcome.run
    write_note(directory / "endpoints" / "api.json", {"pid": 1, "facts": {"url": "http://127.0.0.1:1/v1", "model": "squares"}})
    assert list(running_endpoints(place.home)) == []
    assert not list((directory / "endpoints").iterdir())


def test_a_service_at_the_end_is_not_started_when_asked_not_to(place: Place) -> None:
    outcome = place.run(step("a"), step("api", "answer", reads="a"), keep_serving=False)
    assert (outcome.state, outcome.steps["api"].state) == ("done", "skipped")


def test_a_gate_that_fails_stops_what_needs_it_and_lets_the_others_run(place: Place) -> None:
    gate = Gate("b", "last", "<=", 3.0, text="<= 3")
    steps = (step("a"), step("b", reads="a"), step("c", reads="a", after=("b",)), step("d", reads="c"), step("e", reads="a", to=4))
    reporter = Recorder()
    outcome = place.run(plan=plan(*steps, gates=(gate,)), reporter=reporter)
    assert (outcome.state, outcome.exit_status, outcome.error.code) == ("failed", 1, "TS-RUN-020")
    assert "last of `b` is 361, not <= 3" in outcome.error.what  # of what the step made, not of what it read
    assert {name: s.state for name, s in outcome.steps.items()} == {"a": "done", "b": "done", "c": "skipped", "d": "skipped", "e": "done"}
    assert [gate.passed for (gate,) in reporter.of("gate_checked")] == [False]


def test_a_gate_that_holds_lets_everything_run(place: Place) -> None:
    gate = Gate("b", "last", "<=", 3000.0, text="<= 3000")
    outcome = place.run(plan=plan(step("a"), step("b", reads="a"), step("c", after=("b",), to=2), gates=(gate,)))
    assert (outcome.state, [gate.passed for gate in outcome.gates]) == ("done", [True])


def test_a_damaged_artifact_is_made_again_and_said_so(place: Place) -> None:
    first = place.run(step("a"), step("b", reads="a"))
    file = first.artifacts["a"].path / "numbers.txt"
    file.chmod(0o644)
    file.write_text("[]")
    reporter = Recorder()
    second = place.run(step("a"), step("b", reads="a"), reporter=reporter)
    assert second.artifacts == first.artifacts
    assert not second.steps["a"].cached
    assert second.steps["b"].cached
    assert "damaged" in reporter.of("decision")[0][0].reason


def rot(artifact: Artifact) -> None:
    """Another byte on the disk, and nothing that tells."""
    file = artifact.path / "numbers.txt"
    file.chmod(0o644)
    file.write_text(file.read_text().replace("4", "5"))
    verification.seal(artifact.path.parent, artifact.path, ["numbers.txt"])


def test_what_a_step_opens_is_verified_and_made_again_where_a_byte_has_flipped(place: Place) -> None:
    first, reporter = place.run(step("a", to=3)), Recorder()
    rot(first.artifacts["a"])
    outcome = place.run(step("a", to=3), step("b", reads="a", to=1), reporter=reporter)
    assert outcome.state == "done"
    assert text(outcome, "b") == "[0, 1, 4][0]"
    assert outcome.artifacts["a"] == first.artifacts["a"]
    assert "content of its file numbers.txt has changed" in reporter.of("decision")[0][0].reason
    assert [name for name, _ in reporter.told if name in ("step_started", "step_finished")] == [
        "step_finished", "step_started", "step_finished", "step_started", "step_finished",
    ]  # fmt: skip
    assert "5" in next((place.home / "damaged").glob("*/files/numbers.txt")).read_text(), "what was there is not lost"
    assert all(row.state == "done" for row in Journal(place.home).steps(outcome.run))


def test_a_run_that_is_wholly_cached_reads_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (step("a", to=3), step("b", reads="a", to=1))
    place.run(*steps)
    monkeypatch.setattr("tunesmith.running.store.verification.files_sha256", lambda paths, **_: [1 / 0 for _ in paths])
    assert all(s.cached for s in place.run(*steps).steps.values())


def test_how_much_is_verified_is_a_setting(place: Place) -> None:
    first = place.run(step("a", to=3))
    rot(first.artifacts["a"])
    outcome = dataclasses.replace(place, verify=0).run(step("a", to=3), step("b", reads="a", to=1))
    assert (outcome.state, outcome.steps["a"].cached) == ("done", True)


def test_what_else_was_made_of_an_artifact_that_comes_out_otherwise_is_not_mixed_with_it(place: Place, tmp_path: Path) -> None:
    made = step("a", "answers_once", fail=str(tmp_path / "times"))
    first = place.run(made)
    rot_any = first.artifacts["a"].path / "numbers.txt"
    rot_any.chmod(0o644)
    rot_any.write_text("[7]")
    verification.seal(rot_any.parents[1], rot_any.parent, ["numbers.txt"])
    outcome = place.run(made, step("b", reads="a", to=1))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-STORE-002")
    assert "gave something else" in outcome.error.what
    assert text(place.run(made, step("b", reads="a", to=1)), "b") == "[2][0]"


def test_equal_bytes_of_two_steps_keep_two_producers(place: Place) -> None:
    outcome = place.run(step("a", to=2), step("b", to=2, pause=0.001))
    a, b = outcome.artifacts["a"], outcome.artifacts["b"]
    assert a.digest == b.digest
    assert (a.producer["step"], b.producer["step"]) == ({"to": 2}, {"to": 2, "pause": 0.001})
    again = place.run(step("a", to=2), step("b", to=2, pause=0.001))
    assert again.artifacts == outcome.artifacts
    assert all(s.cached for s in again.steps.values())


def test_a_step_that_is_there_twice_is_run_once_also_when_all_is_run_again(place: Place) -> None:
    for refresh in (False, True):
        reporter = Recorder()
        outcome = place.run(step("a", to=2), step("b", to=2), reporter=reporter, refresh=refresh)
        assert [s.name for s, _ in reporter.of("step_started")] == ["a"]
        assert outcome.steps["b"].cached


def test_a_step_that_writes_nothing_fails(place: Place) -> None:
    assert place.run(step("a", "silent")).error.code == "TS-RUN-016"


def test_the_journal_keeps_plan_decisions_logs_and_series(place: Place) -> None:
    made = plan(step("a", to=3), decisions=(Decision("a", "count", "it was asked for"),))
    outcome = place.run(plan=made)
    journal = Journal(place.home)
    assert journal.decisions(outcome.run) == [("a", "count", "it was asked for")]
    (row,) = journal.steps(outcome.run)
    series = journal.series(row.key)
    ((_, peak),) = series.pop(USAGE)
    assert peak > 2**20 or not Path("/proc/self/status").exists()
    assert series == {"square": [(0, 0.0), (1, 1.0), (2, 4.0)]}


def test_the_artifact_says_who_made_it_and_of_what(place: Place) -> None:
    outcome = place.run(step("a", to=3), step("b", reads="a", to=2))
    record = json.loads((outcome.artifacts["b"].path.parent / "artifact.json").read_text())
    assert record["inputs"] == {"from": outcome.artifacts["a"].digest}
    assert record["producer"]["distribution"] == "tiny"
    assert record["producer"]["step"] == {"to": 2}
