"""The work that all do: the same conversations in the same order, from the same model and the same adapter."""

from __future__ import annotations

import json
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tunesmith_data.api import message
from tunesmith_lora.adapter import Lora
from tunesmith_lora.settings import LoraSettings
from tunesmith_sft.objective import SupervisedTuning
from tunesmith_sft.settings import SupervisedSettings
from tunesmith_torch.api import Group
from tunesmith_torch.api.model import load_model
from tunesmith_torch.api.text import ChatTokenizer, load_tokenizer
from tunesmith_torch.data.batch_sampler import BatchSampler
from tunesmith_torch.data.packing import size
from tunesmith_torch.training.seed import derived

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from smollm2 import smollm2  # noqa: E402

BATCH, RANK, ALPHA, LONGEST = 4, 8, 16, 512
ADAPTERS = ("lora", "qlora", "full")
BODY, HEAD = 106_203_456, 28_311_552  # weights of SmolLM2-135M: those that every token meets, and those that only labels need


@dataclass(frozen=True)
class Work:
    """Args:
    model: directory of the model, in Hugging Face's layout.
    adapter: directory of the LoRA to begin with, in PEFT's.
    rows: the conversations, in the order in which they are learnt; `shuffled`: for who puts them into that order himself.
    count, tokens, labels: conversations, and tokens that a model must read and predict for them.
    """

    model: Path
    adapter: Path
    rows: Path
    shuffled: Path
    count: int
    tokens: int
    labels: int
    precision: str
    train_on: str
    adapts: str = "lora"

    @property
    def rate(self) -> float:
        """The learning rate."""
        return 1e-5 if self.adapts == "full" else 1e-4

    @property
    def operations(self) -> float:
        """In products of matrices: two per weight forward, two backward, two more for the gradients of those that train; attention left
        out."""
        return (6.0 if self.adapts == "full" else 4.0) * (self.tokens * BODY + self.labels * HEAD)


def prepare(directory: Path, count: int, precision: str, train_on: str, adapts: str = "lora") -> Work:
    """Make all of it in `directory`, but what is there already."""
    directory.mkdir(parents=True, exist_ok=True)
    model = smollm2(directory)
    adapter = begin_adapter(directory, model)
    rows = _conversations(count)
    order = BatchSampler(count, BATCH, seed=0)
    learnt = [rows[at] for number in range(order.per_epoch) for at in order.batch(number)]
    paths = []
    for name, some in (("rows", learnt), ("shuffled", rows)):
        paths.append(directory / f"{name}.jsonl")
        paths[-1].write_text("".join(json.dumps({"messages": row}) + "\n" for row in some), encoding="utf-8")
    groups = _encoded(model, rows, train_on)
    tokens = sum(size(sequence) for group in groups for sequence in group.sequences)
    labels = sum(sum(sequence.labels) for group in groups for sequence in group.sequences)
    return Work(model, adapter, *paths, count, tokens, labels, precision, train_on, adapts)


def _encoded(model: Path, rows: list[list[dict[str, str]]], train_on: str) -> list[Group]:
    objective, chat = SupervisedTuning(SupervisedSettings(train_on)), ChatTokenizer(load_tokenizer(model))
    return [objective.encode({"messages": [message(m["role"], m["content"]) for m in row]}, chat) for row in rows]


def _conversations(count: int) -> list[list[dict[str, str]]]:
    """Questions and answers of 40 to 260 words, cut from this repository's licence, which does not change: about 220 tokens each."""
    words = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    chance = random.Random(0)
    made = []
    for _ in range(count):
        length, start = chance.randint(40, 260), chance.randrange(len(words) - 300)
        question, answer = words[start : start + length // 3], words[start + length // 3 : start + length]
        texts = {"user": "Continue: " + " ".join(question), "assistant": " ".join(answer)}
        made.append([{"role": role, "content": text} for role, text in texts.items()])
    return made


def begin_adapter(directory: Path, model: Path) -> Path:
    """The LoRA that `tunesmith sft` begins with at seed 0."""
    target = directory / "adapter"
    if target.exists():
        return target
    adapter, base = Lora(LoraSettings(r=RANK, lora_alpha=ALPHA)), load_model(model)
    adapter.attach(base, seed=derived(0, "adapter"))
    aside = directory / "adapter.new"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    adapter.save(base, aside)
    config = json.loads((aside / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = str(model)
    (aside / "adapter_config.json").write_text(json.dumps(config))
    return aside.rename(target)
