"""DeepSpeed itself, in its environment, as a user runs it: the losses of a run are those of one process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tunesmith as ts

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
SETTINGS = {"max_steps": 3, "batch_size": 4, "max_tokens_per_microbatch": 200, "dtype": "float32"}


def losses(step) -> list[float]:
    lines = (step.artifact.path / "training_log.jsonl").read_text().splitlines()
    return [json.loads(line)["loss"] for line in lines]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = (
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": "A number." + " Yes." * n}]}
        for n in range(12)
    )
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.mark.parametrize("stage", [2, 3])
def test_a_run_by_deepspeed_learns_what_one_process_learns(data: Path, tiny_model, stage: int):
    train = {"train": "sft", "adapter": "lora", "settings": SETTINGS, "data": "train.jsonl"}
    steps = {
        "one": train | {"strategy": "single"},
        "two": train | {"strategy": {"deepspeed": {"num_processes": 2, "stage": stage}}},
    }
    outcome = ts.Pipeline(model=f"file://{tiny_model()}", steps=steps, base=data, home=data / "home").run()
    assert outcome.state == "done", [step.error and step.error.to_json() for step in outcome.steps.values()]
    one, two = (losses(outcome.steps[name]) for name in ("one", "two"))
    assert len(one) == 3
    assert two == pytest.approx(one, rel=1e-4)
