"""A tiny real model, rows, and `train` / `merge` run in the test's own process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith.contracts.settings import build
from tunesmith.isolation.worker_step import WorkerStep
from tunesmith_data.api import message
from tunesmith_sdk.tiny_models import tiny_model

sys.path.append(str(Path(__file__).parent / "training"))  # where the policy lies that stands in for an engine

QUESTIONS = ["What is a plugin?", "Who reads the manifest?", "Where do artifacts live?", "Why plan before a run?", "Which law is first?"]
ANSWERS = ["A package.", "The kernel reads it.", "In the store, under their hash.", "So nothing is lost.", "Kinds, not names!"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Directory of a two-layer Llama."""
    return tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def chat_rows():
    return chat_row_list()


def chat_row_list():
    rows = []
    for number in range(20):
        question, answer = QUESTIONS[number % 5], ANSWERS[number * 3 % 5] + " yes" * (number % 4)
        rows.append({"messages": [message("user", f"{question} ({number})"), message("assistant", answer)]})
    return rows


@pytest.fixture(scope="session")
def preference_rows():
    return preference_row_list()


@pytest.fixture(scope="session")
def judged_rows():
    return judged_row_list()


def judged_row_list():
    """The answers of the pairs, one by one."""
    sides = ("chosen", "rejected")
    return [
        {"messages": row["messages"], "answer": row[side], "label": side == "chosen"} for row in preference_row_list() for side in sides
    ]


def preference_row_list():
    rows = []
    for number in range(12):
        chosen, rejected = ANSWERS[number % 5], "I do not know." + "?" * (number % 3)
        prompt = [message("user", QUESTIONS[number % 5])]
        rows.append({"messages": prompt, "chosen": [message("assistant", chosen)], "rejected": [message("assistant", rejected)]})
    return rows


def dataset(directory: Path, rows, format: str = "dataset/chat") -> Artifact:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Artifact(format, directory, digest="sha256:data")


class Bench:
    """Runs the verbs on `model` and `rows`; what they report is kept in `notices`."""

    def __init__(self, home: Path, model: Path) -> None:
        self.home, self.base = home, Artifact("model/hf", model, digest="sha256:base")
        self.notices: list[tuple[str, dict]] = []
        self.before = lambda step: None  # called with each step before it runs

    def step(
        self, settings=None, *, rows=(), validation=(), objective=None, adapter=None, strategy=None, optimizer=None, name="tune", seed=7,
        **more,
    ) -> WorkerStep:  # fmt: skip
        from tunesmith_lora.adapter import Lora
        from tunesmith_lora.settings import LoraSettings
        from tunesmith_sft.objective import SupervisedTuning
        from tunesmith_single.strategy import SingleProcess
        from tunesmith_torch.settings import TrainSettings
        from tunesmith_torch_optim.adamw import AdamW
        from tunesmith_torch_optim.settings import AdamWSettings

        for folder in ("output", "work"):
            (self.home / name / folder).mkdir(parents=True, exist_ok=True)
        inputs = {"model": self.base, "data": dataset(self.home / f"{name}-data", rows)}
        if validation:
            inputs["validation"] = dataset(self.home / f"{name}-validation", validation)
        values = {"dtype": "float32", "batch_size": 4, "learning_rate": 1e-2, "logging_steps": 1, "save_time_share": 1.0} | (settings or {})
        return WorkerStep(
            name=name, output=self.home / name / "output", work=self.home / name / "work", settings=build(TrainSettings, values), seed=seed,
            inputs=inputs,
            providers={
                "objective": objective or SupervisedTuning(), "adapter": adapter or Lora(LoraSettings(r=4, lora_alpha=8.0)),
                "strategy": strategy or SingleProcess(), "optimizer": optimizer or AdamW(AdamWSettings()),
            },
            notify=lambda method, params: self.notices.append((method, dict(params))), **more,
        )  # fmt: skip

    def train(self, settings=None, **more):
        from tunesmith_torch.training.train import run

        step = self.step(settings, **more)
        self.before(step)
        return step.output, run(step)

    def series(self, name: str) -> list[float]:
        points = {p["at"]: p["value"] for method, p in self.notices if method == "$/metric" and p["name"] == name}
        return [points[at] for at in sorted(points)]


@pytest.fixture
def bench(tmp_path, tiny):
    return Bench(tmp_path, tiny)
