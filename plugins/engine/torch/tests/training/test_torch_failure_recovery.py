"""Failures that are fixed: what is tried, and that the same is learnt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.contracts import StepFacts, TunesmithError
from tunesmith.contracts.events import RunFacts
from tunesmith.contracts.settings import build
from tunesmith_full.adapter import Full
from tunesmith_full.settings import FullSettings
from tunesmith_torch.plugin import step_failed
from tunesmith_torch.settings import TrainSettings
from tunesmith_torch.training.failures.divergence import exploded
from tunesmith_torch.training.failures.out_of_memory import raise_if_out_of_memory


def facts(**settings) -> StepFacts:
    return StepFacts(RunFacts("r", "p", Path()), "tune", "train", settings=vars(build(TrainSettings, settings)))


def out(groups: int, tokens: int) -> TunesmithError:
    with pytest.raises(TunesmithError) as raised:
        raise_if_out_of_memory(MemoryError(), groups, tokens)
    return raised.value


def test_a_micro_batch_that_does_not_fit_is_halved():
    answer = step_failed(facts(), out(5, 3000))
    assert (answer.settings, answer.resume) == ({"max_tokens_per_microbatch": 1500}, True)
    assert "3000 tokens" in answer.reason


def test_a_row_that_does_not_fit_is_computed_with_checkpointing_and_then_given_up():
    answer = step_failed(facts(), out(1, 3000))
    assert answer.settings == {"gradient_checkpointing": True}
    assert step_failed(facts(gradient_checkpointing=True), out(1, 3000)) is None


def test_a_worker_that_the_system_ended_is_tried_with_half_of_what_it_can_have_had():
    killed = TunesmithError("TS-RUN-012", "ended", facts={"signal": "SIGKILL"})
    assert step_failed(facts(batch_size=2, max_length=1000), killed).settings == {"max_tokens_per_microbatch": 1000}
    assert step_failed(facts(batch_size=2, max_length=1000, max_tokens_per_microbatch=1000), killed).settings == {
        "gradient_checkpointing": True
    }


def test_memory_that_is_out_before_anything_was_computed_has_no_remedy():
    assert step_failed(facts(), TunesmithError("TS-RUN-012", "The step ran out of memory")) is None


@pytest.mark.parametrize("code", ["TS-RUN-013", "TS-RUN-026", "TS-RUN-027"])
def test_a_step_that_loses_a_process_of_several_goes_on_from_its_checkpoint_twice(code):
    lost = TunesmithError(code, "Rank 1 of `tune` is lost", facts={"rank": 1})
    answer = step_failed(facts(), lost)
    assert (answer.settings, answer.resume) == ({}, True)
    assert step_failed(replace(facts(), attempt=2), lost)
    assert step_failed(replace(facts(), attempt=3), lost) is None
    assert step_failed(facts(), TunesmithError(code, "The worker of `tune` is lost")) is None


def test_what_is_none_of_the_engines_has_no_remedy():
    other = StepFacts(RunFacts("r", "p", Path()), "tune", "train", settings={"max_tokens_per_microbatch": 8})
    assert step_failed(other, out(5, 3000)) is None
    assert step_failed(facts(), TunesmithError("TS-RUN-010", "crashed")) is None


def test_other_errors_are_not_taken_for_want_of_memory():
    raise_if_out_of_memory(RuntimeError("shapes differ"), 3, 100)


STARVED = """
import json, resource, sys
from pathlib import Path
import torch
from conftest import Bench
from tunesmith.contracts import TunesmithError
from tunesmith_data.api import message
from tunesmith_torch.training.train import run
bench = Bench(Path(sys.argv[1]), Path(sys.argv[2]))
settings = json.loads(sys.argv[3])
rows = [{"messages": [message("user", "Say it."), message("assistant", f"{n} " + "word " * 400)]} for n in range(24)]
bench.train({"max_steps": 1, "max_tokens_per_microbatch": 500, "batch_size": 2}, rows=rows, name="warm")  # what is loaded once is loaded
bench.notices.clear()
step = bench.step(settings, rows=rows)
if sys.argv[4] != "free":
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = now + int(sys.argv[4]) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    run(step)
    print(json.dumps(bench.series("loss")))
except TunesmithError as error:
    print(json.dumps(error.to_json()))
"""


def starved(home: Path, tiny: Path, settings: dict, memory: str) -> object:
    """Train in a process that may have `memory` MiB more than it has before training."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {"PYTHONPATH": path, "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", STARVED, str(home), str(tiny), json.dumps(settings), memory]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space hold on Linux")
def test_training_that_really_runs_out_of_memory_is_fixed_to_the_same_losses(tmp_path, tiny):
    settings = {"max_steps": 3, "batch_size": 8, "max_tokens_per_microbatch": 40000, "max_length": 4000}
    wanted = starved(tmp_path / "free", tiny, settings, "free")
    attempts = 0
    while not isinstance(got := starved(tmp_path / "starved", tiny, settings, MEMORY), list):
        answer = step_failed(facts(**settings), TunesmithError.from_json(got))
        settings |= answer.settings
        attempts += 1
        assert attempts <= 4
    assert attempts
    assert got == pytest.approx(wanted, rel=1e-5)


MEMORY = "200"  # MiB


def test_after_a_divergence_training_goes_on_from_before_it_slower(bench, chat_rows, monkeypatch):
    """The rate breaks in the middle: some steps later the numbers are none any more."""
    settings = {"num_train_epochs": 6, "learning_rate": 0.01, "max_grad_norm": 0.0, "save_steps": 1, "save_total_limit": 100}
    monkeypatch.setattr("tunesmith_torch.training.loop.rate", lambda schedule, number, total, warmup_ratio: 1e10 if number >= 12 else 0.5)
    with pytest.raises(TunesmithError, match="TS-TRAIN-001") as raised:
        bench.train(settings, rows=chat_rows, adapter=Full(FullSettings()))
    monkeypatch.undo()
    losses = bench.series("loss")
    assert 12 <= len(losses) < 30
    kept = [int(path.name[5:]) for path in (bench.home / "tune" / "work" / "checkpoints").glob("step-*")]
    assert max(kept) == 12  # the step after it had a loss that shows that its parameters are good
    answer = step_failed(facts(**settings), raised.value)
    assert (answer.settings, answer.resume) == ({"learning_rate": 0.0025, "max_grad_norm": 1.0}, True)
    bench.notices.clear()
    _, result = bench.train({**settings, **answer.settings}, rows=chat_rows, adapter=Full(FullSettings()))
    assert any("resumed at step 12 of 30" in p.get("message", "") for _, p in bench.notices)
    assert result.metrics["steps"] == 30
    assert bench.series("loss")[-1] < losses[0]


@pytest.mark.parametrize(
    ("losses", "apart"),
    [
        ([3, 40, 50, 60, 70, 80], True), ([3, 40, 50, 29, 70, 80], False), ([3, 40, 50, 60, 70], False), ([3, 2, 40, 2, 1, 90], False),
        ([0.01, 1, 2, 3, 4, 5], False), ([0.01, 11, 12, 13, 14, 15], True), ([80, 80, 80, 80, 80, 80], False),
    ],
)  # fmt: skip
def test_a_loss_has_exploded_that_stays_ten_times_above_where_it_began(losses, apart):
    assert exploded([{"loss": loss} for loss in losses[:-1]], losses[-1]) is apart


def test_training_whose_loss_explodes_is_told_as_diverged_and_that_of_a_range_test_is_not(bench, chat_rows):
    settings = {"num_train_epochs": 6, "learning_rate": 30.0, "max_grad_norm": 0.0, "save_steps": 1, "warmup_ratio": 0.0}
    with pytest.raises(TunesmithError, match="TS-TRAIN-001") as raised:
        bench.train(settings, rows=chat_rows, adapter=Full(FullSettings()))
    losses = bench.series("loss")
    assert min(losses[-4:]) > 10 * losses[0]
    assert "more than 10 times what it began with" in raised.value.why
    assert step_failed(facts(**settings), raised.value).settings["learning_rate"] == 7.5
    bench.train({**settings, "lr_scheduler_type": "lr_range_test"}, rows=chat_rows, adapter=Full(FullSettings()), name="range")


def test_a_first_step_that_is_no_number_is_not_tried_again(bench):
    assert step_failed(facts(), TunesmithError("TS-TRAIN-001", "diverged", facts={"step": 1})) is None


@pytest.mark.slow
def test_a_run_whose_rate_is_broken_is_fixed_and_its_report_says_how(tmp_path, tiny, chat_rows):
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chat_rows))
    rate = [
        "--learning-rate",
        "3e1",
        "--max-grad-norm",
        "0",
        "--warmup-ratio",
        "0.5",
        "--num-train-epochs",
        "4",
        "--settings.save-steps",
        "1",
    ]
    command = [
        sys.executable,
        "-m",
        "tunesmith_cli",
        "sft",
        "--model",
        f"file://{tiny}",
        "--data",
        "rows.jsonl",
        "--adapter",
        "full",
        *rate,
    ]
    done = subprocess.run([*command, "--dtype", "float32"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "try again after TS-TRAIN-001 with learning_rate: 30.0 -> 7.5, max_grad_norm: 0.0 -> 1.0" in done.stdout
    (report,) = (tmp_path / ".tunesmith" / "runs").glob("*/report.html")
    assert "training diverged: it goes on from the last checkpoint" in report.read_text()
