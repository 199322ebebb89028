"""The executor `slurm` on Slurm's own daemons, three nodes of this machine. Run where Debian's packages of Slurm are installed, by root."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from elsewhere import Host, away, counted, meanwhile, numbers, reached, when
from real_slurm import MISSING, RealSlurm, available
from tiny_plans import Place, step

from tunesmith_sdk.testing.recorder import Recorder

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not available(), reason=MISSING)]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSlurm]:
    cluster = RealSlurm(tmp_path_factory.mktemp("cluster") / "slurm")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        yield cluster
    cluster.close()


@pytest.fixture
def undisturbed(tmp_path: Path) -> str:
    """Digest of the count that runs here, without an executor."""
    return Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest


def test_a_step_makes_the_same_artifact(place: Place, slurm: RealSlurm, undisturbed: str) -> None:
    told = Recorder()
    outcome = place.run(counted(), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == undisturbed
    assert [one[3] for one in told.of("metric")] == list(range(40))
    when(lambda: not slurm.processes(), 20)


def test_ranks_on_three_nodes_find_each_other(place: Place, slurm: RealSlurm) -> None:
    outcome = place.run(away(step("a", "ranks", processes=3), nodes=3, options=["--ntasks-per-node=1"]))
    assert outcome.state == "done", outcome.error


def test_a_job_outlives_its_host_and_is_found_again(place: Place, slurm: RealSlurm, undisturbed: str) -> None:
    before = len(slurm.jobs())
    host = Host(place, "run")
    reached(place, 8)
    host.process.kill()
    host.process.wait()
    reached(place, numbers(place) + 5)
    outcome = Host(place, "resume").outcome()
    assert outcome == {"state": "done", "error": "", "digests": {"a": undisturbed}}
    assert len(slurm.jobs()) == before + 1


def test_a_run_that_is_stopped_leaves_no_process_and_no_job(place: Place, slurm: RealSlurm) -> None:
    outcome, _ = place.cancelled(counted(), when="metric")
    assert outcome.state == "cancelled"
    when(lambda: not slurm.processes(), 20)
    when(lambda: not {"PENDING", "RUNNING"} & set(slurm.jobs().values()), 20)


def test_a_job_may_wait_in_the_queue_and_be_taken_out_of_it(place: Place, slurm: RealSlurm) -> None:
    slurm.hold()
    outcome, _ = place.cancelled(counted(), when="log")
    assert outcome.state == "cancelled"
    when(lambda: not {"PENDING", "RUNNING"} & set(slurm.jobs().values()), 20)
    meanwhile(lambda: (when(lambda: "PENDING" in slurm.jobs().values()), slurm.release()))
    outcome = place.run(counted())
    assert outcome.state == "done", outcome.error


def test_a_partition_that_is_not_there_is_refused_in_slurms_words(place: Place, slurm: RealSlurm) -> None:
    outcome = place.run(counted(partition="nowhere"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-030")
    assert "nvalid partition" in outcome.error.what


@pytest.mark.parametrize("requeue", [True, False], ids=["requeued", "started anew"])
def test_a_step_goes_on_from_its_checkpoint_when_a_node_dies(place: Place, slurm: RealSlurm, undisturbed: str, requeue: bool) -> None:
    def murder() -> None:
        reached(place, 10)
        slurm.node_dies(max(slurm.jobs()))

    meanwhile(murder)
    told = Recorder()
    outcome = place.run(away(step("a", to=40, pause=0.2), requeue=requeue), reporter=told)
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == undisturbed
    assert len(told.of("metric")) <= 44  # it did not begin again
