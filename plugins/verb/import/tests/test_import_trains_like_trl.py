"""A configuration of TRL's and the pipeline that is made of it train alike: the loss of each step, TRL 1.16 beside ours.

All rows are in each batch, so that a step's loss does not depend on how either shuffles them. Adapters are drawn at random, by other
draws here than there: of these the first step, before they have any effect, is held as tightly, and the others loosely. The template
writes nothing behind the end of a turn, which TRL's trainers learn and ours do not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith_sdk.tiny_models import tiny_model

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
HERE = Path(__file__).parent
STEPS = 6
SAME, DRAWN = 1e-4, 2e-2  #: relative difference of a loss: of the same numbers, of adapters that were drawn otherwise
COMMON = {
    "model_name_or_path": "tiny", "learning_rate": 1e-3, "num_train_epochs": STEPS, "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2, "logging_steps": 1, "save_strategy": "steps", "save_steps": STEPS, "report_to": "none", "bf16": False,
    "use_cpu": True,
}  # fmt: skip
LORA = {"use_peft": True, "lora_r": 8, "lora_alpha": 16}
#: name -> (TRL's command, what is its own)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "sft, all weights": ("sft", {"dataset_name": "chat", "max_length": 256}),
    "sft, cosine, clipped, decayed": (
        "sft",
        {"dataset_name": "chat", "lr_scheduler_type": "cosine", "weight_decay": 0.1, "max_grad_norm": 0.5},
    ),
    "sft, completions alone": ("sft", {"dataset_name": "completions"}),
    "sft, plain text": ("sft", {"dataset_name": "books", "max_length": 64}),
    "sft, LoRA on all linear": ("sft", {"dataset_name": "chat", **LORA, "lora_target_modules": "all-linear", "lora_dropout": 0.0}),
    "dpo, all weights": ("dpo", {"dataset_name": "pairs"}),
    "dpo, hinge": ("dpo", {"dataset_name": "pairs", "loss_type": "hinge"}),
    "dpo, ipo, LoRA": ("dpo", {"dataset_name": "pairs", "loss_type": "ipo", **LORA}),
}
ASKED = [
    ("Where do artifacts live?", "In the store."), ("Who makes a plan?", "The planner does."),
    ("What is a step?", "One verb of a pipeline, and its value names a provider."), ("What is a run?", "One execution."),
    ("Is it fast?", "Yes, very fast indeed."), ("Name a colour.", "Blue."), ("Count to three.", "One, two, three."),
    ("Who are you?", "A small model that learns."),
]  # fmt: skip


def rows() -> dict[str, list[dict[str, Any]]]:
    chats = [[{"role": "user", "content": said}, {"role": "assistant", "content": answer}] for said, answer in ASKED]
    refused = [{"role": "assistant", "content": "I would rather not say."}]
    return {
        "chat": [{"messages": chat} for chat in chats],
        "books": [{"text": f"{said} {answer} " * 3} for said, answer in ASKED],
        "completions": [{"prompt": chat[:1], "completion": chat[1:]} for chat in chats],
        "pairs": [{"prompt": chat[:1], "chosen": chat[1:], "rejected": refused} for chat in chats],
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model, rows, and TRL's configurations."""
    folder = tmp_path_factory.mktemp("trl")
    template = tiny_model(folder / "tiny") / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_end|>\n", "<|im_end|>"))
    for name, found in rows().items():
        (folder / name).mkdir()
        (folder / name / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    for number, (_, own) in enumerate(CASES.values()):
        (folder / f"{number}.yaml").write_text(yaml.safe_dump({**COMMON, **own, "output_dir": f"out-{number}"}))
    return folder


def run(words: list[str], place: Path) -> str:
    variables = {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "HF_DATASETS_CACHE": str(place / "datasets"), "TUNESMITH_LANG": "en",
                 "TUNESMITH_HOME": str(place / "home")}  # fmt: skip
    ran = subprocess.run(words, cwd=place, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    return ran.stdout


@pytest.fixture(scope="module")
def trl(place: Path) -> dict[str, list[float]]:
    """The losses of TRL's own trainings, by case."""
    words = [word for number, (method, _) in enumerate(CASES.values()) for word in (method, f"{number}.yaml")]
    found = json.loads(run([sys.executable, str(HERE / "trl_trainings.py"), *words], place))
    return {name: found[f"{number}.yaml"] for number, name in enumerate(CASES)}


def ours(place: Path, name: str) -> list[float]:
    """The losses of the pipeline that the configuration becomes."""
    number, command = [*CASES].index(name), [sys.executable, "-m", "tunesmith_cli"]
    pipeline = f"{number}.pipeline.yaml"
    run([*command, "import", f"{number}.yaml", "--from", "trl", "--method", CASES[name][0], "--output", pipeline], place)
    events = map(json.loads, run([*command, "run", pipeline, "--json"], place).splitlines())
    return [event["value"] for event in events if event["event"] == "metric" and event["name"] == "loss"]


@pytest.mark.parametrize("name", CASES)
def test_the_losses_of_each_step_are_the_same(name: str, place: Path, trl: dict[str, list[float]]):
    wanted, found = trl[name], ours(place, name)
    assert len(found) == len(wanted) == STEPS
    drawn = "use_peft" in CASES[name][1]
    print(f"{name}: {max(abs(one - other) / max(abs(other), 1e-2) for one, other in zip(found, wanted, strict=True)):.1e}")
    assert found[0] == pytest.approx(wanted[0], rel=SAME)
    assert found == pytest.approx(wanted, rel=DRAWN if drawn else SAME, abs=1e-4)
