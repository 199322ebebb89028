"""Law L5 on real work: kill -9 of host or worker in training, merging, quantizing, evaluating; `tunesmith resume` gives the same bytes."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest


@dataclass(frozen=True)
class Work:
    """A pipeline whose steps are killed.

    Args:
        kills: who dies in which step; a round of them, so that one pipeline is killed again and again on its way to the end.
        wanted: kills that have to hit.
        midway: training steps that are killed between two of their optimizer steps, after a checkpoint; others at any moment.
    """

    pipeline: str
    steps: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    kills: tuple[tuple[str, str], ...]
    wanted: int
    midway: frozenset[str] = frozenset()


QUANTIZED = Work(
    """
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
""",
    steps=("tune", "merged", "small"),
    rows=tuple({"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(64)),
    kills=(
        ("tune", "host"),
        ("tune", "worker"),
        ("tune", "host"),
        ("merged", "worker"),
        ("merged", "host"),
        ("small", "host"),
        ("small", "worker"),
    ),
    wanted=20,
)
JUDGED = Work(
    """
name: kills
model: file://model
steps:
  judge:
    train: {reward: {center_rewards_coefficient: 0.01}}
    adapter: {lora: {r: 4}}
    data: rows.jsonl
    settings: {num_train_epochs: 4, batch_size: 4, save_steps: 4, save_time_share: 1.0, learning_rate: 0.01, dtype: float32}
  merged: {merge: {}, from: judge}
  check: {evaluate: reward-accuracy, from: merged, data: rows.jsonl}
""",
    steps=("judge", "merged", "check"),
    rows=tuple(
        {"prompt": f"What is {n} plus {n + 1}?", "chosen": f"It is {2 * n + 1}.", "rejected": f"Nobody knows {n}."} for n in range(64)
    ),
    kills=(("judge", "worker"), ("judge", "host"), ("judge", "worker"), ("merged", "worker"), ("check", "host"), ("check", "worker")),
    wanted=6,
    midway=frozenset({"judge"}),
)
# beside the weights: the baseline that `kto` measures on other rows' answers, and the running mean of `bco`, which is in each checkpoint
DESIRABLE = Work(
    """
name: kills
model: file://model
steps:
  tune:
    train: kto
    adapter: {lora: {r: 4}}
    data: rows.jsonl
    settings: {num_train_epochs: 4, batch_size: 4, save_steps: 4, save_time_share: 1.0, learning_rate: 0.01, dtype: float32}
  again:
    train: {kto: {loss_type: bco}}
    adapter: {lora: {r: 4}}
    data: rows.jsonl
    settings: {num_train_epochs: 4, batch_size: 4, save_steps: 4, save_time_share: 1.0, learning_rate: 0.01, dtype: float32}
""",
    steps=("tune", "again"),
    rows=tuple({"prompt": f"What is {n} plus {n + 1}?", "completion": f"It is {2 * n + n % 2}.", "label": bool(n % 2)} for n in range(64)),
    kills=(("tune", "worker"), ("tune", "host"), ("tune", "worker"), ("again", "host"), ("again", "worker"), ("again", "host")),
    wanted=6,
    midway=frozenset({"tune", "again"}),
)
WORKS = {"quantized": QUANTIZED, "judged": JUDGED, "desirable": DESIRABLE}


@pytest.fixture(params=WORKS)
def work(request) -> Work:
    return WORKS[request.param]


@pytest.fixture
def project(tiny_model, tmp_path: Path, work: Work) -> Path:
    shutil.copytree(tiny_model(hidden_size=128, intermediate_size=256), tmp_path / "model")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in work.rows))
    (tmp_path / "tunesmith.yaml").write_text(work.pipeline)
    return tmp_path


class Host:
    """`tunesmith ... --json` in a process of its own, read line by line."""

    def __init__(self, project: Path, home: Path, *command: str) -> None:
        environment = os.environ | {"TUNESMITH_HOME": str(home), "OMP_NUM_THREADS": "1"}
        arguments = [sys.executable, "-m", "tunesmith_cli", *command, "--json"]
        self.errors = (home.parent / "stderr.txt").open("a")
        self.resumed: list[tuple[str, int, int]] = []  #: training steps that went on: from which optimizer step of how many
        self.process = subprocess.Popen(
            arguments, cwd=project, env=environment, stdout=subprocess.PIPE, stderr=self.errors, text=True, start_new_session=True
        )

    def events(self) -> Iterator[dict]:
        for line in self.process.stdout:
            if line.startswith("{") and line.endswith("\n"):  # a kill cuts the last one
                event = json.loads(line)
                if event["event"] == "decision" and (found := re.match(r"goes on from step (\d+) of (\d+)", event["what"])):
                    self.resumed.append((event["step"], int(found[1]), int(found[2])))
                yield event

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "tunesmith.isolation.worker" in " ".join(child.cmdline())]

    def finish(self) -> dict[str, dict]:
        """The steps of the run, which must end well."""
        events = list(self.events())
        assert self.process.wait() == 0, f"{events[-1:]} {Path(self.errors.name).read_text()}"
        finished = next(event for event in events if event["event"] == "run_finished")
        return {step["step"]: step for step in finished["steps"]}

    def kill_during(self, step: str, victim: str, delay: float = 0.0, trained: int = 0) -> bool:
        """Kill `victim` `delay` seconds into `step`, or when it has made `trained` optimizer steps; False if the step was over before."""
        events = self.events()
        if not any(event["event"] == "step_started" and event["step"] == step for event in events):
            return False
        if trained:
            any(event["event"] == "progress" and event["what"] == "train" and event["done"] >= trained for event in events)
        time.sleep(delay)
        targets = [psutil.Process(self.process.pid)] if victim == "host" else self.workers()
        if self.process.poll() is not None or not targets:
            self.process.wait()
            return False
        workers = self.workers()
        for target in targets:
            target.send_signal(signal.SIGKILL)
        for _ in events:  # to the end of its output
            pass
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
def test_killed_anywhere_the_run_resumes_to_the_same_artifacts(work: Work, project: Path, tmp_path_factory: pytest.TempPathFactory):
    undisturbed = Host(project, tmp_path_factory.mktemp("undisturbed") / "home", "run").finish()
    expected = {name: undisturbed[name]["artifact"]["digest"] for name in work.steps}
    chance = random.Random(2026)
    kills: list[tuple[str, str]] = []
    resumed: list[tuple[str, int, int]] = []
    for _ in range(2 * work.wanted // len(work.kills) + 1):  # a kill may come too late: then there are more rounds
        home = tmp_path_factory.mktemp("killed") / "home"
        command = "run"
        for step, victim in work.kills:
            delay = {"delay": chance.uniform(0.0, 0.8 * undisturbed[step]["seconds"])}
            host = Host(project, home, command)
            hit = host.kill_during(step, victim, **({"trained": chance.randint(6, 48)} if step in work.midway else delay))
            kills += [(step, victim)] if hit else []
            resumed += host.resumed
            # a run that came through has nothing to resume
            command = "resume" if hit else "run"
        host = Host(project, home, command)
        finished = host.finish()
        resumed += host.resumed
        assert {name: finished[name]["artifact"]["digest"] for name in work.steps} == expected
        assert not list((home / "staging").glob("*")), "staging of killed steps was left behind"
        if len(kills) >= work.wanted:
            break
    print(f"{len(kills)} kills: {kills}; training went on {len(resumed)} times: {resumed}")
    assert {step for step, done, total in resumed if 0 < done < total} >= work.midway
    assert len(kills) >= work.wanted
