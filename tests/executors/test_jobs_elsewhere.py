"""What every executor promises, whichever cluster it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import ClusterUnderTest
from elsewhere import Host, away, counted, meanwhile, numbers, reached, when
from tiny_plans import Place, step

from tunesmith_sdk.testing.recorder import Recorder


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """Digest of the count that runs here, without an executor."""
    return Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest


def test_a_step_elsewhere_makes_the_same_artifact_and_tells_the_same(place: Place, cluster: ClusterUnderTest) -> None:
    here = Place.at(place.home.parent / "here").run(step("a", to=5), reporter=(beside := Recorder()))
    told = Recorder()
    outcome = place.run(away(step("a", to=5), cluster), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == here.artifacts["a"].digest
    metrics = [one[1:] for one in told.of("metric")]
    assert metrics == [one[1:] for one in beside.of("metric")]
    assert told.of("progress")[-1][1:] == beside.of("progress")[-1][1:]
    when(cluster.over, 10)


def test_what_it_prints_is_in_the_logs_of_the_step(place: Place, cluster: ClusterUnderTest) -> None:
    outcome = place.run(away(step("a", "shout", to=3), cluster))
    assert outcome.state == "done", outcome.error
    (out,) = place.home.glob("runs/*/logs/*-a/*stdout*")
    assert "the protocol does not hear this" in out.read_text()
    assert "an error line" in next(place.home.glob("runs/*/logs/*-a/*stderr*")).read_text()


def test_its_ranks_find_each_other(place: Place, cluster: ClusterUnderTest) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3), cluster))
    assert outcome.state == "done", outcome.error


@pytest.mark.parametrize(
    ("how", "code"), [("user", "TINY-001"), ("crash", "TS-RUN-011"), ("segfault", "TS-RUN-012"), ("exit", "TS-RUN-012")]
)
def test_a_step_that_fails_elsewhere_fails_as_it_does_here(place: Place, cluster: ClusterUnderTest, how: str, code: str) -> None:
    here = Place.at(place.home.parent / "here").run(step("a", to=2, fail=how))
    outcome = place.run(away(step("a", to=2, fail=how), cluster))
    assert (outcome.state, outcome.error.code, outcome.error.what) == ("failed", here.error.code, here.error.what)
    assert cluster.tries() <= 1  # a step's own failure is no lost job
    assert not cluster.processes()


def test_the_rank_that_failed_is_named_and_ends_the_others(place: Place, cluster: ClusterUnderTest) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3, fail="1:segfault"), cluster))
    assert outcome.state == "failed"
    assert outcome.error.facts["rank"] == 1
    when(cluster.over, 20)


def test_a_step_goes_on_from_its_checkpoint_when_a_node_dies(place: Place, cluster: ClusterUnderTest, undisturbed: str) -> None:
    tries = []

    def murder() -> None:
        reached(place, 10)
        cluster.node_dies()
        when(lambda: cluster.tries() == 2)
        tries.append(2)

    disturbing = meanwhile(murder)
    told = Recorder()
    outcome = place.run(counted(cluster), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == undisturbed
    disturbing.join(10)
    assert tries == [2]
    when(cluster.over, 10)
    steps = [one[3] for one in told.of("metric")]
    assert len(steps) <= 42  # it did not begin again
    assert any("anew" in str(one) for one in told.of("decision")), told.told


@pytest.mark.slow
def test_a_job_that_is_lost_again_and_again_is_told_with_its_reason(place: Place, cluster: ClusterUnderTest) -> None:
    def murder() -> None:
        reached(place, 5)
        cluster.node_dies()
        when(lambda: cluster.tries() == 2)
        reached(place, numbers(place) + 2)
        cluster.node_dies()

    meanwhile(murder)
    outcome = place.run(counted(cluster, max_retries=1))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-028")
    assert cluster.name != "slurm" or "NODE_FAIL" in outcome.error.what
    resumed = place.run(counted(cluster, max_retries=1), resume=outcome.run)
    assert resumed.state == "done", resumed.error


def test_a_job_outlives_its_host_and_is_found_again(place: Place, cluster: ClusterUnderTest, undisturbed: str) -> None:
    host = Host(place, "run", cluster)
    reached(place, 8)
    host.process.kill()
    host.process.wait()
    reached(place, numbers(place) + 5)  # nobody listens, and it goes on
    resumed = Host(place, "resume", cluster)
    when(lambda: numbers(place) > 20 or resumed.process.poll() is not None)
    assert cluster.tries() <= 1
    assert resumed.outcome() == {"state": "done", "error": "", "digests": {"a": undisturbed}}
    when(cluster.over, 10)


def test_a_job_that_ended_while_there_was_no_host_is_not_computed_again(place: Place, cluster: ClusterUnderTest, undisturbed: str) -> None:
    host = Host(place, "run", cluster)
    reached(place, 8)
    host.process.kill()
    host.process.wait()
    when(cluster.over)  # its machines are free though nobody has heard of it
    resumed = Host(place, "resume", cluster)
    assert resumed.outcome()["digests"] == {"a": undisturbed}
    assert cluster.tries() <= 1
    when(cluster.over, 10)


def test_a_run_that_is_stopped_leaves_no_process_and_no_job(place: Place, cluster: ClusterUnderTest) -> None:
    outcome, _ = place.cancelled(counted(cluster), when="metric")
    assert outcome.state == "cancelled"
    when(cluster.over, 10)
