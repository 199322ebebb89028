"""Whatever dies at whatever moment: the artifact is that of an undisturbed run, it is committed once, and nothing is left running.

How many trials: TUNESMITH_TRIALS, with the seed TUNESMITH_TRIALS_SEED.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from elsewhere import Host, numbers, when
from slurm_stand_in import Slurm
from tiny_plans import Place, step

TRIALS, SEED = int(os.environ.get("TUNESMITH_TRIALS", "4")), int(os.environ.get("TUNESMITH_TRIALS_SEED", "1"))
VICTIMS = ("host", "launcher", "agent", "worker", "node", "scheduler")
MOST_RUNS = 12  # of one trial: what is killed three times comes to its end long before


class Trial:
    """One run with up to three deaths."""

    def __init__(self, folder: Path, slurm: Slurm, dice: random.Random) -> None:
        self.place, self.slurm, self.dice = Place.at(folder / "project"), slurm, dice
        self.deaths: Counter[str] = Counter()
        self.settings = {"requeue": dice.random() < 0.5, "bin": str(slurm.commands), "max_retries": 1}

    def run(self) -> dict[str, object]:
        """Until it is done; the outcome. A failure must be told, and the next `resume` goes on."""
        wanted = self.dice.randint(1, 3)
        for number in range(MOST_RUNS):
            host = Host(self.place, "resume" if number else "run", **self.settings)
            while sum(self.deaths.values()) < wanted and host.process.poll() is None:
                self._wait(host, self.dice.uniform(0, 3))
                self._kill(host, self.dice.choice(VICTIMS))
            if host.process.wait(120) < 0:
                continue
            outcome = host.outcome()
            if outcome["state"] == "done":
                return outcome
            assert outcome["error"], "a run that failed says why"
        raise AssertionError(f"not done after {MOST_RUNS} runs and {dict(self.deaths)}")

    def _wait(self, host: Host, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and host.process.poll() is None:
            time.sleep(0.01)

    def _kill(self, host: Host, victim: str) -> None:
        jobs = [job for job, state in self.slurm.jobs().items() if state == "RUNNING"]
        if victim == "host" and host.process.poll() is None:
            host.process.kill()
            host.process.wait()
            self.deaths[victim] += 1
        elif victim == "node" and jobs:
            self.slurm.node_dies(jobs[-1])
            self.deaths[victim] += 1
        elif victim == "scheduler" and jobs:  # it takes the job's machines away
            self.slurm.preempt(jobs[-1])
            self.deaths[victim] += 1
        else:
            for process in self._processes(host, victim):
                with contextlib.suppress(psutil.Error):
                    process.kill()
                    self.deaths[victim] += 1

    def _processes(self, host: Host, victim: str) -> list[psutil.Process]:
        """Of the worker that hands the job over, of an agent, of a rank's worker."""
        with contextlib.suppress(psutil.Error):
            if victim == "launcher":
                return [one for one in psutil.Process(host.process.pid).children() if _runs(one, "tunesmith.isolation.worker")]
            named = "tunesmith_jobs.agent" if victim == "agent" else "tunesmith.isolation.worker"
            return [one for one in map(psutil.Process, self.slurm.processes()) if _runs(one, named)]
        return []


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        return module in process.cmdline()
    except psutil.Error:
        return False


def committed(place: Place) -> int:
    """How many artifacts the store has."""
    return len(list((place.home / "store").glob("*/*/artifact.json")))


def tried(folder: Path, number: int, digest: str) -> Counter[str]:
    """One trial, judged; who died in it."""
    slurm = Slurm(folder / "slurm")
    try:
        trial = Trial(folder, slurm, random.Random(f"{SEED}-{number}"))
        outcome = trial.run()
        assert outcome["digests"] == {"a": digest}, f"trial {number}: {outcome} after {dict(trial.deaths)}"
        assert committed(trial.place) == 1
        with sqlite3.connect(trial.place.home / "journal.sqlite") as journal:
            assert journal.execute("pragma integrity_check").fetchone() == ("ok",)
        when(lambda: not slurm.processes(), 15)
        when(lambda: not {"PENDING", "RUNNING"} & set(slurm.jobs().values()), 15)
        assert numbers(trial.place) in (0, 40)
        return trial.deaths
    finally:
        slurm.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(TRIALS))
def test_whatever_dies_the_artifact_is_that_of_an_undisturbed_run(tmp_path: Path, number: int) -> None:
    digest = Place.at(tmp_path / "here").run(step("a", to=40)).artifacts["a"].digest
    print(number, dict(tried(tmp_path, number, digest)))
