"""What the executor `slurm` does with a queue, held to a stand-in for the cluster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from clusters import SlurmTested
from elsewhere import away, counted, meanwhile, reached, when
from slurm_stand_in import Slurm
from tiny_plans import Place, step


@pytest.fixture
def cluster(slurm: Slurm) -> SlurmTested:
    return SlurmTested(slurm)


def test_a_step_goes_on_when_it_is_preempted_and_put_into_the_queue_again(place: Place, cluster: SlurmTested, tmp_path: Path) -> None:
    def disturb() -> None:
        reached(place, 10)
        cluster.slurm.preempt(1)

    meanwhile(disturb)
    outcome = place.run(counted(cluster, requeue=True))
    assert outcome.state == "done", outcome.error
    assert outcome.artifacts["a"].digest == Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest
    when(lambda: cluster.slurm.jobs() == {1: "COMPLETED"}, 10)


def test_a_job_may_wait_in_the_queue_and_be_taken_out_of_it(place: Place, cluster: SlurmTested) -> None:
    slurm = cluster.slurm
    slurm.hold()
    outcome, _ = place.cancelled(counted(cluster), when="log")
    assert outcome.state == "cancelled"
    when(lambda: slurm.jobs() == {1: "CANCELLED"}, 10)
    meanwhile(lambda: (when(lambda: 2 in slurm.jobs()), time.sleep(3), slurm.release()))
    outcome = place.run(away(step("a", to=3), cluster))
    assert outcome.state == "done", outcome.error


def test_a_job_that_the_cluster_refuses_is_an_error_with_its_words(place: Place, cluster: SlurmTested) -> None:
    outcome = place.run(counted(cluster, partition="nowhere"))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-RUN-030")
    assert "Invalid partition name" in outcome.error.what
