"""A run that is killed goes on by another strategy and another number of processes: nothing is learnt twice or missed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
STEPS = 24
PIPELINE = """
name: moves
model: model
steps:
  tune:
    train: sft
    adapter: {lora: {r: 4}}
    strategy: %s
    data: rows.jsonl
    settings: {num_train_epochs: 4, batch_size: 4, save_steps: 2, save_time_share: 1.0, dtype: float32}
"""
TWO = "{%s: {num_processes: 2}}"
#: what the file says, options of the command, the step at which everything is killed (0: it ends by itself)
LEGS = ((TWO % "ddp", (), 6), (TWO % "fsdp", (), 12), (TWO % "fsdp", ("--set", "steps.tune.strategy=single"), 18), (TWO % "fsdp", (), 0))


@pytest.fixture
def project(model: Path, tmp_path: Path) -> Path:
    (tmp_path / "model").symlink_to(model)
    rows = [{"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(STEPS)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def command(project: Path, home: str, verb: str, options: Sequence[str]) -> subprocess.Popen[str]:
    variables = {"TUNESMITH_HOME": str(project / home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "tunesmith_cli", verb, "--json", *options], cwd=project, env=os.environ | variables, text=True,
        stdout=subprocess.PIPE, stderr=(project / "stderr").open("a"), start_new_session=True,
    )  # fmt: skip


def run(project: Path, home: str, strategy: str, options: Sequence[str] = (), kill_at: int = 0) -> list[dict[str, Any]]:
    """Run the pipeline, to its end or until it is killed, with SIGKILL, after a step; all events."""
    (project / "tunesmith.yaml").write_text(PIPELINE % strategy)
    process, events = command(project, home, "run", options), []
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            events.append(json.loads(line))
            if kill_at and events[-1]["event"] == "metric" and events[-1].get("at", 0) >= kill_at:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == (-signal.SIGKILL if kill_at else 0), (project / "stderr").read_text()[-3000:]
    return events


def ledger(project: Path, home: str) -> list[dict[str, Any]]:
    """Without losses, whose last digits differ from one strategy to another."""
    (found,) = (project / home / "store").rglob("samples.jsonl")
    return [{**json.loads(line), "losses": None} for line in found.read_text().splitlines()]


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["at"]: event["value"] for event in events if event["event"] == "metric" and event["name"] == "loss"}


def test_a_killed_run_goes_on_by_other_strategies_and_its_ledger_is_that_of_an_undisturbed_one(project: Path) -> None:
    undisturbed = run(project, "undisturbed", "single")
    told, lasts = [], []
    for strategy, options, kill_at in LEGS:
        events = run(project, "moved", strategy, options, kill_at)
        lasts.append(losses(events))
        told.append([event["what"] for event in events if event["event"] == "decision" and "has begun" in event["what"]])
        resumed = [event["message"] for event in events if "resumed at step" in event.get("message", "")]
        assert len(resumed) == (len(told) > 1), resumed
    assert told == [
        [], ["go on with what ddp has begun"], ["go on with what fsdp has begun"],
        ["go on with what single has begun"],
    ]  # fmt: skip
    assert ledger(project, "moved") == ledger(project, "undisturbed")
    rows = [row for line in ledger(project, "moved") for row in line["rows"]]
    assert sorted(rows) == sorted(4 * list(range(1, STEPS + 1)))
    assert lasts[-1] == pytest.approx(losses(undisturbed), rel=5e-4), "points of earlier legs are told again"


def test_the_plan_says_what_a_run_would_go_on_with(project: Path) -> None:
    run(project, "home", TWO % "ddp", kill_at=4)
    process = command(project, "home", "plan", ["--set", "steps.tune.strategy=single"])
    plan = json.loads(process.communicate()[0])
    (decision,) = [one for one in plan["decisions"] if "has begun" in one["what"]]
    assert decision["what"] == "go on with what ddp has begun"
    assert "in how the step is done, not in what it makes" in decision["reason"]
