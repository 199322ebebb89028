"""A model that sees, from rows and pictures to a merged model, by commands; its adapter is PEFT's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "multimodal.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page's own program makes, and a model of text."""
    directory = tmp_path_factory.mktemp("multimodal")
    program, *_ = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    subprocess.run([sys.executable, "-c", program], cwd=directory, check=True)
    tiny_model(directory / "text-only")
    return directory


def command(project: Path, *words: str) -> tuple[int, list[dict]]:
    """Exit status and events; it runs elsewhere, so that no path is found by chance."""
    elsewhere = project / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    typed = [sys.executable, "-m", "tunesmith_cli", *words, "--json"]
    environment = os.environ | {"TUNESMITH_HOME": str(project / "home")}
    done = subprocess.run(typed, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def tune(project: Path, model: str, *more: str) -> tuple[int, list[dict]]:
    return command(
        project, "sft", "--model", f"file://{project / model}", "--data", str(project / "rows.jsonl"), "--adapter", "lora",
        "--dtype", "float32", "--learning-rate", "0.02", "--num-train-epochs", "6", *more,
    )  # fmt: skip


def steps_of(events: list[dict]) -> dict[str, dict]:
    return {step["step"]: step for event in events if event["event"] == "run_finished" for step in event["steps"]}


def test_a_model_that_sees_learns_from_pictures_and_peft_loads_what_it_learnt(project):
    import torch
    from peft import PeftModel

    from tunesmith_torch.api.model import load_model
    from tunesmith_torch.api.text import chat_encoder

    status, events = tune(project, "tiny-vlm")
    assert status == 0, events
    steps = steps_of(events)
    adapter = Path(steps["sft"]["artifact"]["path"])
    log = [json.loads(line) for line in (adapter / "training_log.jsonl").read_text().splitlines()]
    assert log[-1]["loss"] < log[0]["loss"] - 0.5

    merging = {"model": f"file://{project / 'tiny-vlm'}", "steps": {
        "sft": {"train": "sft", "adapter": "lora", "data": str(project / "rows.jsonl"),
                "settings": {"dtype": "float32", "learning_rate": 0.02, "num_train_epochs": 6}},
        "whole": {"merge": {}, "from": "sft"},
        "score": {"evaluate": {"perplexity": {"dtype": "float32"}}, "from": ["model", "whole"], "data": str(project / "rows.jsonl")},
    }}  # fmt: skip
    (project / "merge.yaml").write_text(json.dumps(merging))
    status, events = command(project, "run", str(project / "merge.yaml"))
    assert status == 0, events
    steps = steps_of(events)
    assert steps["sft"]["cached"]
    scores = {name: step["metrics"]["perplexity"] for name, step in steps.items() if name.startswith("score")}
    assert scores["score:whole:perplexity"] < 0.7 * scores["score:model:perplexity"]

    merged = Path(steps["whole"]["artifact"]["path"])
    by_peft, whole = PeftModel.from_pretrained(load_model(project / "tiny-vlm"), adapter), load_model(merged)
    chat = chat_encoder(merged)
    row = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which colour?"}]}]
    words = chat.tokenizer.apply_chat_template(row, tokenize=False, add_generation_prompt=True)
    given = chat.processor(
        text=[words], **chat.reader.arguments([{"type": "image", "path": str(project / "pictures" / "red.png")}]), return_tensors="pt"
    )
    with torch.no_grad():
        torch.testing.assert_close(whole(**given).logits, by_peft(**given).logits, rtol=1e-4, atol=1e-4)


def test_a_changed_picture_is_learnt_anew_and_a_touched_one_is_not(project):
    from PIL import Image

    assert steps_of(tune(project, "tiny-vlm", "--max-steps", "1")[1])["sft"]["cached"] is False
    (project / "pictures" / "red.png").touch()
    assert steps_of(tune(project, "tiny-vlm", "--max-steps", "1")[1])["sft"]["cached"] is True
    Image.new("RGB", (56, 56), (250, 250, 0)).save(project / "pictures" / "red.png")
    assert steps_of(tune(project, "tiny-vlm", "--max-steps", "1")[1])["sft"]["cached"] is False


def test_a_model_of_text_and_a_missing_picture_are_refused_in_the_plan(project):
    status, events = tune(project, "text-only")
    assert status == 2
    assert "TS-DATA-032" in json.dumps(events)
    (project / "pictures" / "blue.png").rename(project / "blue.png")
    try:
        status, events = tune(project, "tiny-vlm")
    finally:
        (project / "blue.png").rename(project / "pictures" / "blue.png")
    assert status == 2
    assert "TS-DATA-061" in json.dumps(events)
