"""The work that all do: the same pairs in the same order, from the same model and the same adapter."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks" / "finetune")]
from smollm2 import smollm2  # noqa: E402
from work import begin_adapter  # noqa: E402

from tunesmith_torch.data.batch_sampler import BatchSampler  # noqa: E402

BATCH, LONGEST, RATE = 4, 1024, 1e-4
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
}
#: the same of ours, where it is not the default
OURS: Mapping[str, Mapping[str, Any]] = {"cpo": {}, "simpo": {"beta": 2.0, "simpo_gamma": 0.5}}


@dataclass(frozen=True)
class Pairs:
    """Args:
    rows: in the order in which they are learnt; `shuffled`: for who puts them into that order himself.
    """

    model: Path
    adapter: Path
    rows: Path
    shuffled: Path
    count: int


def prepare(directory: Path, count: int, prompts: str, objective: str) -> Pairs:
    """Make all of it in `directory`, but what is there already."""
    directory.mkdir(parents=True, exist_ok=True)
    model = smollm2(directory)
    rows = unpaired(count, prompts) if objective == "kto" else pairs(count, prompts)
    order = BatchSampler(count, BATCH, seed=0)
    learnt = [rows[at] for number in range(order.per_epoch) for at in order.batch(number)]
    paths = []
    for name, some in (("rows", learnt), ("shuffled", rows)):
        paths.append(directory / f"{objective}-{prompts}-{name}.jsonl")
        paths[-1].write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    return Pairs(model, begin_adapter(directory, model), *paths, count)


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


def unpaired(count: int, prompts: str) -> list[dict[str, Any]]:
    """Their answers one by one, every other one desirable."""
    return [
        {"prompt": row["prompt"], "completion": row["chosen" if number % 2 else "rejected"], "label": bool(number % 2)}
        for number, row in enumerate(pairs(count, prompts))
    ]


def ours(work: Pairs, objective: str, precision: str) -> Sequence[str]:
    """Tunesmith's command."""
    options = {
        "model": work.model, "data": work.shuffled, "adapter": "lora", "adapter.r": 8, "adapter.alpha": 16, "batch-size": BATCH,
        "max-length": LONGEST, "learning-rate": RATE, "lr-scheduler-type": "constant", "warmup-ratio": 0, "dtype": precision,
        **{name.replace("_", "-"): value for name, value in OURS.get(objective, {}).items()},
    }  # fmt: skip
    program = str(Path(sys.executable).with_name("tunesmith"))
    return [program, objective, *(str(word) for key, value in options.items() for word in (f"--{key}", value))]
