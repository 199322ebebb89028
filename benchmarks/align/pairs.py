"""The work that all do: the same pairs in the same order, from the same model and the same adapter."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks" / "finetune")]
from smollm2 import smollm2  # noqa: E402
from work import begin_adapter  # noqa: E402

from tunesmith_torch.data.batch_sampler import BatchSampler  # noqa: E402

BATCH, LONGEST, RATE = 4, 1024, 1e-4
GROUP, COMPLETION = 8, 64  #: of `grpo`: completions of a prompt, and their tokens at most
#: share of a pair's words that is its prompt
PROMPTS = {"long": 0.75, "short": 0.1}
#: objective -> TRL's trainer and configuration, and what of it is not the default so that both compute the same
OBJECTIVES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "dpo": ("trl", "DPO", {"beta": 0.1}),
    "reward": ("trl", "Reward", {}),
    "kto": ("trl", "KTO", {"beta": 0.1}),
    "orpo": ("trl.experimental.orpo", "ORPO", {"beta": 0.1}),
    "cpo": ("trl.experimental.cpo", "CPO", {"beta": 0.1, "cpo_alpha": 1.0}),
    "simpo": ("trl.experimental.cpo", "CPO", {"loss_type": "simpo", "cpo_alpha": 0.0, "beta": 2.0, "simpo_gamma": 0.5}),
    "sft": ("trl", "SFT", {}),
    "distill": ("trl.experimental.gkd", "GKD", {"lmbda": 0.0, "beta": 0.0, "temperature": 1.0}),
    "grpo": (
        "trl", "GRPO",
        {
            "num_generations": GROUP, "generation_batch_size": BATCH * GROUP, "per_device_train_batch_size": BATCH * GROUP,
            "max_completion_length": COMPLETION, "shuffle_dataset": False,
        },
    ),
}  # fmt: skip
#: the same of ms-swift
SWIFT: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dpo": ("dpo", {"beta": 0.1}),
    "reward": ("rm", {}),
    "kto": ("kto", {"beta": 0.1}),
    "orpo": ("orpo", {"beta": 0.1}),
    "cpo": ("cpo", {"beta": 0.1, "cpo_alpha": 1.0}),
    "simpo": ("simpo", {"beta": 2.0, "simpo_gamma": 0.5, "cpo_alpha": 0.0}),
    "sft": ("", {"loss_scale": "default"}),
    "distill": ("gkd", {"lmbda": 0.0, "beta": 0.0, "temperature": 1.0}),
}
TAUGHT = "distill"  #: the one with a teacher
SAMPLED = "grpo"  #: the one whose model writes what it learns from; its reward is 1 up to 200 characters, and falls to 0 over as many more
#: and of ours, where it is not the default
OURS_BESIDE: Mapping[str, Mapping[str, Any]] = {
    "simpo": {"beta": 2.0, "simpo_gamma": 0.5},
    SAMPLED: {
        "rewards": '[{"length": {"at_most": 200, "falloff": 200, "unit": "characters"}}]', "num_generations": GROUP,
        "max_completion_length": COMPLETION,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Pairs:
    """Args:
    rows: in the order in which they are trained on; `shuffled`: for who puts them into that order himself.
    teacher: of `distill`.
    """

    model: Path
    adapter: Path
    rows: Path
    shuffled: Path
    count: int
    objective: str
    precision: str
    teacher: Path


def prepare(directory: Path, count: int, prompts: str, objective: str, precision: str) -> Pairs:
    """Make all of it in `directory`, but what is there already."""
    directory.mkdir(parents=True, exist_ok=True)
    model = smollm2(directory)
    made = {"kto": unpaired, "sft": answered, TAUGHT: answered, SAMPLED: asked}.get(objective, pairs)
    rows = made(count, prompts)
    order = BatchSampler(count, BATCH, seed=0)
    learnt = [rows[at] for number in range(order.per_epoch) for at in order.batch(number)]
    paths = []
    for name, some in (("rows", learnt), ("shuffled", rows)):
        paths.append(directory / f"{objective}-{prompts}-{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    return Pairs(model, begin_adapter(directory, model), *paths, count, objective, precision, teacher(directory, model))


def teacher(directory: Path, model: Path) -> Path:
    """The model with other weights, so that there is something to learn: what its layers add is a tenth larger."""
    target = directory / "teacher"
    if not target.exists():
        aside = directory / "teacher.new"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(model, aside)
        for file in aside.glob("*.safetensors"):
            changed = {name: value * 1.1 if "down_proj" in name else value for name, value in load_file(file).items()}
            save_file(changed, file, metadata={"format": "pt"})
        aside.rename(target)
    return target


def pairs(count: int, prompts: str) -> list[dict[str, Any]]:
    """Pairs of 120 to 300 words, cut from this repository's licence, which does not change; the rejected answer is of another place."""
    words, chance, made = (ROOT / "LICENSE").read_text(encoding="utf-8").split(), random.Random(0), []
    for _ in range(count):
        length, start, other = chance.randint(120, 300), *(chance.randrange(len(words) - 320) for _ in range(2))
        asked = round(length * PROMPTS[prompts])
        question = {"role": "user", "content": "Continue: " + " ".join(words[start : start + asked])}
        answers = (words[place + asked : place + length] for place in (start, other))
        chosen, rejected = ([{"role": "assistant", "content": " ".join(answer)}] for answer in answers)
        made.append({"prompt": [question], "chosen": chosen, "rejected": rejected})
    return made


def answered(count: int, prompts: str) -> list[dict[str, Any]]:
    """Their chosen answers, as conversations."""
    return [{"messages": [*row["prompt"], *row["chosen"]]} for row in pairs(count, prompts)]


def asked(count: int, prompts: str) -> list[dict[str, Any]]:
    """Their prompts alone."""
    return [{"prompt": row["prompt"]} for row in pairs(count, prompts)]


def unpaired(count: int, prompts: str) -> list[dict[str, Any]]:
    """Their answers one by one, every other one desirable."""
    return [
        {"prompt": row["prompt"], "completion": row["chosen" if number % 2 else "rejected"], "label": bool(number % 2)}
        for number, row in enumerate(pairs(count, prompts))
    ]
