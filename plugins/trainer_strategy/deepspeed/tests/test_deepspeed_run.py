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


def assert_same_losses(data: Path, model: Path, train: dict, stage: int) -> None:
    steps = {
        "one": train | {"strategy": "single"},
        "two": train | {"strategy": {"deepspeed": {"num_processes": 2, "stage": stage}}},
    }
    outcome = ts.Pipeline(model=f"file://{model}", steps=steps, base=data, home=data / "home").run()
    assert outcome.state == "done", outcome.error and outcome.error.to_json()
    one, two = (losses(outcome.steps[name]) for name in ("one", "two"))
    assert len(one) == 3
    assert two == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("stage", [2, 3])
def test_a_run_by_deepspeed_learns_what_one_process_learns(data: Path, tiny_model, stage: int):
    assert_same_losses(data, tiny_model(), {"train": "sft", "adapter": "lora", "settings": SETTINGS, "data": "train.jsonl"}, stage)


@pytest.mark.parametrize("adapter", ["ia3", "bottleneck"])
def test_stage_3_trains_between_passes_without_the_adapter(data: Path, tiny_model, adapter: str):
    """The model before training is asked by other modules than train, and DeepSpeed fetches parameters in the order of earlier passes."""
    rows = ({"prompt": f"What is {n}?", "completion": "A number." + " Yes." * n, "label": n % 2 == 0} for n in range(12))
    (data / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert_same_losses(data, tiny_model(), {"train": "kto", "adapter": adapter, "settings": SETTINGS, "data": "judged.jsonl"}, 3)
