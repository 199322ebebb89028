"""Law L5 on real work: kill -9 of host or worker in training, merging, quantizing; `tunesmith resume` ends in the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

PIPELINE = """
name: kills
model: file://model
steps:
  tune:
    train: sft
    adapter: {lora: {r: 4}}
    data: rows.jsonl
    settings: {max_steps: 60, batch_size: 4, save_steps: 4, save_time_share: 1.0, learning_rate: 0.01, dtype: float32}
  merged: {merge: {}, from: tune}
  small: {quantize: bitsandbytes, from: merged}
"""
STEPS = ("tune", "merged", "small")
# who dies in which step; 7 kills to a round, so that one pipeline is killed again and again on its way to the end
ROUND = [
    ("tune", "host"),
    ("tune", "worker"),
    ("tune", "host"),
    ("merged", "worker"),
    ("merged", "host"),
    ("small", "host"),
    ("small", "worker"),
]
WANTED = 20  # kills that hit


@pytest.fixture
def project(tiny_model, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model(hidden_size=128, intermediate_size=256), tmp_path / "model")
    rows = [{"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(64)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    return tmp_path


class Host:
    """`tunesmith ... --json` in a process of its own, read line by line."""

    def __init__(self, project: Path, home: Path, *command: str) -> None:
        environment = os.environ | {"TUNESMITH_HOME": str(home), "OMP_NUM_THREADS": "1"}
        arguments = [sys.executable, "-m", "tunesmith_cli", *command, "--json"]
        self.errors = (home.parent / "stderr.txt").open("a")
        self.process = subprocess.Popen(
            arguments, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=self.errors, text=True, start_new_session=True
        )

    def events(self) -> Iterator[dict]:
        for line in self.process.stdout:
            if line.startswith("{"):
                yield json.loads(line)

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "tunesmith.isolation.worker" in " ".join(child.cmdline())]

    def finish(self) -> dict[str, dict]:
        """The steps of the run, which must end well."""
        events = list(self.events())
        assert self.process.wait() == 0, f"{events[-1:]} {Path(self.errors.name).read_text()}"
        finished = next(event for event in events if event["event"] == "run_finished")
        return {step["step"]: step for step in finished["steps"] if step["step"] in STEPS}

    def kill_during(self, step: str, victim: str, delay: float) -> bool:
        """Kill `victim` `delay` seconds into `step`; False if the step was over before."""
        for event in self.events():
            if event["event"] == "step_started" and event["step"] == step:
                break
        else:
            return False
        time.sleep(delay)
        targets = [psutil.Process(self.process.pid)] if victim == "host" else self.workers()
        if self.process.poll() is not None or not targets:
            self.process.wait()
            return False
        workers = self.workers()
        for target in targets:
            target.send_signal(signal.SIGKILL)
        self.process.stdout.read()
        status = self.process.wait()
        if victim == "host":
            assert status == -signal.SIGKILL
            _, alive = psutil.wait_procs(workers, timeout=10)
            assert not alive, "a worker outlived its host"
        elif status == 0:
            return False
        return True


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_anywhere_the_run_resumes_to_the_same_artifacts(project: Path, tmp_path_factory: pytest.TempPathFactory):
    undisturbed = Host(project, tmp_path_factory.mktemp("undisturbed") / "home", "run").finish()
    expected = {name: step["artifact"]["digest"] for name, step in undisturbed.items()}
    assert set(expected) == set(STEPS)
    chance = random.Random(2026)
    kills: list[tuple[str, str]] = []
    for _ in range(2 * WANTED // len(ROUND)):  # a kill may come too late: then there are more rounds
        home = tmp_path_factory.mktemp("killed") / "home"
        command = "run"
        for step, victim in ROUND:
            hit = Host(project, home, command).kill_during(step, victim, chance.uniform(0.0, 0.8 * undisturbed[step]["seconds"]))
            kills += [(step, victim)] if hit else []
            # a run that came through has nothing to resume
            command = "resume" if hit else "run"
        digests = {name: step["artifact"]["digest"] for name, step in Host(project, home, command).finish().items()}
        assert digests == expected
        assert not list((home / "staging").glob("*")), "staging of killed steps was left behind"
        if len(kills) >= WANTED:
            break
    print(f"{len(kills)} kills: {kills}")
    assert len(kills) >= WANTED
