"""The same numbers as lm-evaluation-harness 0.4.13, which runs in an isolated environment, on the same file."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.contracts import Artifact
from tunesmith_scores.multiple_choice.evaluator import MultipleChoiceAccuracy
from tunesmith_scores.multiple_choice.rows import FORMAT
from tunesmith_scores.multiple_choice.settings import MultipleChoiceSettings
from tunesmith_sdk.testing.datasets import dataset

pytestmark = [pytest.mark.slow, pytest.mark.isolated]
SHOTS = 3
TASK = """
task: ours
dataset_path: json
dataset_kwargs: {{data_files: {{test: {test}, dev: {dev}}}}}
output_type: multiple_choice
test_split: test
fewshot_split: dev
fewshot_config: {{sampler: first_n}}
num_fewshot: {shots}
description: "Choose the right one.\\n\\n"
doc_to_text: "{text}"
doc_to_choice: "{choices}"
doc_to_target: right
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""
LISTED = "{{question.strip()}}\\n{% for c in choices %}{{'ABCDEFGH'[loop.index0]}}. {{c}}\\n{% endfor %}Answer:"
FORMS = {
    "letters": (LISTED, "{{ 'ABCDEFGH'[:choices | length] | list }}"),
    "texts": ("Question: {{question}}\\nAnswer:", "{{choices}}"),
}


@pytest.fixture(scope="module")
def lm_eval(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its interpreter."""
    folder = tmp_path_factory.mktemp("lm-eval") / "environment"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "-p", sys.executable, folder], check=True)
    packages = ["lm-eval[hf]==0.4.13", "torch==2.13.0", "transformers==5.23.0", "accelerate"]
    subprocess.run([*uv, "pip", "install", "-q", "-p", folder / "bin" / "python", *packages], check=True)
    return folder / "bin" / "python"


def rows(count: int) -> list[dict[str, object]]:
    chance = random.Random(5)
    words = ["Paris", "a lazy dog", "the quick brown fox", "7", "0123456789", "its manifest", "你好", "nobody at all"]
    found = []
    for number in range(count):
        choices = chance.sample(words, chance.choice([2, 4, 5]))
        question = f"{chance.choice(['What is', 'Who is', 'Is it'])} {number} {chance.choice(words)}?"
        found.append({"question": question, "choices": choices, "right": chance.randrange(len(choices))})
    return found


def by_lm_eval(python: Path, model: Path, folder: Path, questions: list[dict[str, object]], answers: str) -> dict[str, object]:
    for name, part in (("dev", questions[:SHOTS]), ("test", questions[SHOTS:])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    text, choices = FORMS[answers]
    task = TASK.format(test=folder / "test.jsonl", dev=folder / "dev.jsonl", shots=SHOTS, text=text, choices=choices)
    (folder / "ours.yaml").write_text(task)
    words = ["--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu", "--batch_size", "4"]
    out = ["--tasks", "ours", "--include_path", folder, "--output_path", folder / "out", "--log_samples"]
    offline = os.environ | {
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(folder / "hf"),
        "TOKENIZERS_PARALLELISM": "false",
    }
    done = subprocess.run([python, "-m", "lm_eval", *words, *out], env=offline, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(next((folder / "out").rglob("results_*.json")).read_text())["results"]["ours"]
    lines = next((folder / "out").rglob("samples_*.jsonl")).read_text().splitlines()
    samples = sorted(map(json.loads, lines), key=lambda sample: sample["doc_id"])
    return {"results": results, "log_probs": [[float(answer[0][0]) for answer in sample["resps"]] for sample in samples]}


@pytest.mark.parametrize("answers", list(FORMS))
def test_the_numbers_are_those_of_lm_eval(lm_eval, tiny_model, local_step, tmp_path, answers):
    model, questions = tiny_model(initializer_range=0.2), rows(60)
    theirs = by_lm_eval(lm_eval, model, tmp_path, questions, answers)

    settings = MultipleChoiceSettings(answers=answers, num_fewshot=SHOTS, description="Choose the right one.\n\n")
    step = local_step()
    ours = MultipleChoiceAccuracy(settings).evaluate(Artifact("model/hf", model), dataset(step.work / "rows", questions, FORMAT), step)

    assert ours.metrics["accuracy"] == theirs["results"]["acc,none"]
    assert ours.metrics["accuracy_norm"] == theirs["results"]["acc_norm,none"]
    assert ours.metrics["scored"] == len(questions) - SHOTS
    for sample, expected in zip(ours.samples, theirs["log_probs"], strict=True):
        assert sample["log_probs"] == pytest.approx(expected, abs=1e-3)
