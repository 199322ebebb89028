"""What every executor promises, held to that of Slurm, with a stand-in for the cluster."""

from __future__ import annotations

import time

import pytest
from elsewhere import Host, away, counted, meanwhile, numbers, reached, when
from slurm_stand_in import Slurm
from tiny_plans import Place, step

from tunesmith_sdk.testing.recorder import Recorder


@pytest.fixture
def undisturbed(tmp_path) -> str:
    """Digest of the count that runs here, without an executor."""
    return Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest


def test_a_step_elsewhere_makes_the_same_artifact_and_tells_the_same(place: Place, slurm: Slurm) -> None:
    here = Place.at(place.home.parent / "here").run(step("a", to=5), reporter=(beside := Recorder()))
    told = Recorder()
    outcome = place.run(away(step("a", to=5)), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == here.artifacts["a"].digest
    metrics = [one[1:] for one in told.of("metric")]
    assert metrics == [one[1:] for one in beside.of("metric")]
    assert told.of("progress")[-1][1:] == beside.of("progress")[-1][1:]
    when(lambda: slurm.jobs() == {1: "COMPLETED"}, 10)


def test_what_it_prints_is_in_the_logs_of_the_step(place: Place, slurm: Slurm) -> None:
    outcome = place.run(away(step("a", "shout", to=3)))
    assert outcome.state == "done", outcome.error
    (out,) = place.home.glob("runs/*/logs/*-a/*stdout*")
    assert "the protocol does not hear this" in out.read_text()
    assert "an error line" in next(place.home.glob("runs/*/logs/*-a/*stderr*")).read_text()


def test_its_ranks_find_each_other(place: Place, slurm: Slurm) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3)))
    assert outcome.state == "done", outcome.error


@pytest.mark.parametrize(
    ("how", "code"), [("user", "TINY-001"), ("crash", "TS-RUN-011"), ("segfault", "TS-RUN-012"), ("exit", "TS-RUN-012")]
)
def test_a_step_that_fails_elsewhere_fails_as_it_does_here(place: Place, slurm: Slurm, how: str, code: str) -> None:
    here = Place.at(place.home.parent / "here").run(step("a", to=2, fail=how))
    outcome = place.run(away(step("a", to=2, fail=how)))
    assert (outcome.state, outcome.error.code, outcome.error.what) == ("failed", here.error.code, here.error.what)
    assert len(slurm.jobs()) == 1  # a step's own failure is no lost job
    assert not slurm.processes()


def test_the_rank_that_failed_is_named_and_ends_the_others(place: Place, slurm: Slurm) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3, fail="1:segfault")))
    assert outcome.state == "failed"
    assert outcome.error.facts["rank"] == 1
    when(lambda: not slurm.processes(), 20)


def test_a_step_goes_on_from_its_checkpoint_when_a_node_dies(place: Place, slurm: Slurm, undisturbed: str) -> None:
    def murder() -> None:
        reached(place, 10)
        slurm.node_dies(1)

    meanwhile(murder)
    told = Recorder()
    outcome = place.run(counted(requeue=False), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == undisturbed
    when(lambda: slurm.jobs() == {1: "NODE_FAIL", 2: "COMPLETED"}, 10)
    steps = [one[3] for one in told.of("metric")]
    assert len(steps) <= 42  # it did not begin again
    assert any("anew" in str(one) for one in told.of("decision")), told.told


def test_a_step_goes_on_when_it_is_preempted_and_put_into_the_queue_again(place: Place, slurm: Slurm, undisturbed: str) -> None:
    def disturb() -> None:
        reached(place, 10)
        slurm.preempt(1)

    meanwhile(disturb)
    outcome = place.run(counted())
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == undisturbed
    when(lambda: slurm.jobs() == {1: "COMPLETED"}, 10)


@pytest.mark.slow
def test_a_job_that_is_lost_again_and_again_is_told_with_its_reason(place: Place, slurm: Slurm) -> None:
    def murder() -> None:
        reached(place, 5)
        slurm.node_dies(1)
        when(lambda: slurm.jobs().get(2) == "RUNNING")
        slurm.node_dies(2)

    meanwhile(murder)
    outcome = place.run(counted(requeue=False, max_retries=1))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-028")
    assert "NODE_FAIL" in outcome.error.what
    resumed = place.run(counted(requeue=False, max_retries=1), resume=outcome.run)
    assert resumed.state == "done", resumed.error


def test_a_job_outlives_its_host_and_is_found_again(place: Place, slurm: Slurm, undisturbed: str) -> None:
    host = Host(place, "run", "slurm")
    reached(place, 8)
    host.process.kill()
    host.process.wait()
    reached(place, numbers(place) + 5)  # nobody listens, and it goes on
    outcome = Host(place, "resume", "slurm").outcome()
    assert outcome == {"state": "done", "error": "", "digests": {"a": undisturbed}}
    when(lambda: slurm.jobs() == {1: "COMPLETED"}, 10)


def test_a_job_that_ended_while_there_was_no_host_is_not_computed_again(place: Place, slurm: Slurm, undisturbed: str) -> None:
    host = Host(place, "run", "slurm")
    reached(place, 8)
    host.process.kill()
    host.process.wait()
    when(lambda: slurm.jobs() == {1: "COMPLETED"})  # its machines are free though nobody has heard of it
    assert Host(place, "resume", "slurm").outcome()["digests"] == {"a": undisturbed}
    assert slurm.jobs() == {1: "COMPLETED"}


def test_a_run_that_is_stopped_leaves_no_process_and_no_job(place: Place, slurm: Slurm) -> None:
    outcome, _ = place.cancelled(counted(), when="metric")
    assert outcome.state == "cancelled"
    when(lambda: not slurm.processes(), 10)
    assert set(slurm.jobs().values()) <= {"CANCELLED", "COMPLETED", "FAILED"}


def test_a_job_may_wait_in_the_queue_and_be_taken_out_of_it(place: Place, slurm: Slurm) -> None:
    slurm.hold()
    outcome, _ = place.cancelled(counted(), when="log")
    assert outcome.state == "cancelled"
    when(lambda: slurm.jobs() == {1: "CANCELLED"}, 10)
    meanwhile(lambda: (when(lambda: 2 in slurm.jobs()), time.sleep(3), slurm.release()))
    outcome = place.run(away(step("a", to=3)))
    assert outcome.state == "done", outcome.error


def test_a_job_that_the_cluster_refuses_is_an_error_with_its_words(place: Place, slurm: Slurm) -> None:
    outcome = place.run(counted(partition="nowhere"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-030")
    assert "Invalid partition name" in outcome.error.what
