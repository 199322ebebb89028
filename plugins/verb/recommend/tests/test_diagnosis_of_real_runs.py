"""`tunesmith runs why` of real trainings of a tiny model that went wrong in one way each."""

from __future__ import annotations

import json
import random
import shlex
from pathlib import Path

import pytest

from tunesmith_cli.api import main
from tunesmith_sdk.tiny_models import tiny_model

pytestmark = pytest.mark.slow
WORDS = ["yes", "no", "up", "down", "left", "right", "in", "out", "on", "off", "red", "blue"]
CONSTANT = {"batch_size": 8, "lr_scheduler_type": "constant", "dtype": "float32"}
WRONG = {
    "too-high": ({"learning_rate": 1.0, "num_train_epochs": 2, **CONSTANT}, "swapped", ("rate.too-high", "rate.diverged")),
    "too-low": ({"learning_rate": 6e-6, "num_train_epochs": 16, **CONSTANT}, "swapped", ("rate.too-low",)),
    "nothing": ({"learning_rate": 1e-9, "num_train_epochs": 2, **CONSTANT}, "swapped", ("steps.nothing-learned",)),
    "too-few": ({"learning_rate": 3e-4, "num_train_epochs": 1, **CONSTANT, "batch_size": 4}, "swapped", ("steps.too-few",)),
    "overfit": (
        {"learning_rate": 3e-3, "num_train_epochs": 20, "validation_split": 0.34, **CONSTANT, "batch_size": 4},
        "noise",
        ("overfit",),
    ),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model") / "tiny")


def chats(kind: str) -> str:
    """Answers that turn two words round, or that have nothing to do with what is asked."""
    draw = random.Random(0)
    if kind == "swapped":
        asked = [(f"Say {one} {other}", f"{other} {one}") for one in WORDS for other in WORDS][:96]
    else:
        asked = [(" ".join(draw.choices(WORDS, k=3)), " ".join(draw.choices(WORDS, k=8))) for _ in range(24)]
    draw.shuffle(asked)
    turns = [[{"role": "user", "content": question}, {"role": "assistant", "content": answer}] for question, answer in asked]
    return "".join(json.dumps({"messages": messages}) + "\n" for messages in turns)


@pytest.mark.parametrize("name", WRONG)
def test_what_was_wrong_is_found_and_what_to_try_plans(name, model, tmp_path, monkeypatch, capsys):
    settings, kind, rules = WRONG[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text(chats(kind))
    step = {"train": "sft", "adapter": "full", "data": "rows.jsonl", "settings": settings}
    (tmp_path / "tunesmith.yaml").write_text(json.dumps({"name": name, "model": f"file://{model}", "steps": {"tune": step}}))
    main(["run"])
    capsys.readouterr()
    assert main(["runs", "why", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    (one,) = [one for one in found if one["rule"] in rules]
    assert one["evidence"]
    assert one["source"]
    words = shlex.split(one["command"])
    assert words[:2] == ["tunesmith", "run"]
    assert main(["plan", *words[2:]]) == 0, capsys.readouterr().err
    (directory,) = (tmp_path / ".tunesmith" / "runs").iterdir()
    assert json.loads((directory / "report.json").read_text())["findings"] == found
    assert "What to make of it" in (directory / "report.html").read_text()
