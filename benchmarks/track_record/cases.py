"""What is run: trainings of several sizes of models, adapters, objectives, lengths and batches, a few optimizer steps each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SFT, DPO = "sft", "dpo"


@dataclass(frozen=True)
class Case:
    """A command, with what it trains on.

    Args:
        tokens: about so many in a row, or in each answer of a pair; `batch`: rows of an optimizer step.
        options: of the command, by name.
    """

    verb: str
    model: str
    adapter: str
    tokens: int
    batch: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        more = "".join(f", {name} {value}" for name, value in self.options.items())
        return f"{self.verb} {self.adapter}, {self.model}, {self.batch} x {self.tokens}{more}"

    @property
    def words(self) -> list[str]:
        given = [word for name, value in self.options.items() for word in (f"--{name}", *([] if value is True else [str(value)]))]
        return [self.verb, "--adapter", self.adapter, "--batch-size", str(self.batch), "--max-length", str(2 * self.tokens), *given]


CASES = (
    Case(SFT, "llama-16m", "lora", 64, 8),
    Case(SFT, "llama-16m", "lora", 256, 8),
    Case(SFT, "llama-16m", "lora", 128, 4, {"dtype": "float32"}),
    Case(SFT, "llama-16m", "full", 64, 8),
    Case(SFT, "llama-16m", "full", 256, 4),
    Case(SFT, "llama-16m", "dora", 128, 8),
    Case(DPO, "llama-16m", "lora", 64, 4),
    Case(DPO, "llama-16m", "lora", 128, 4),
    Case(DPO, "llama-16m", "full", 64, 4),
    Case(SFT, "qwen3-50m", "lora", 64, 8),
    Case(SFT, "qwen3-50m", "lora", 256, 4),
    Case(SFT, "qwen3-50m", "lora", 128, 8, {"adapter.r": 64}),
    Case(SFT, "qwen3-50m", "lora", 128, 8, {"gradient-checkpointing": True}),
    Case(SFT, "qwen3-50m", "full", 128, 4),
    Case(SFT, "qwen3-50m", "dora", 64, 4),
    Case(DPO, "qwen3-50m", "lora", 64, 4),
    Case(DPO, "qwen3-50m", "full", 64, 2),
    Case(SFT, "smollm2", "lora", 64, 4),
    Case(SFT, "smollm2", "lora", 256, 2),
    Case(SFT, "smollm2", "lora", 128, 4, {"dtype": "float32"}),
    Case(SFT, "smollm2", "lora", 64, 8, {"max-tokens-per-microbatch": 128}),
    Case(SFT, "smollm2", "dora", 64, 2),
    Case(SFT, "smollm2", "freeze", 64, 4),
    Case(DPO, "smollm2", "lora", 64, 2),
)
