"""What is measured: pipelines of one step, each of another model, method, length, batch or precision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SFT, DPO, PERPLEXITY, NF4, GGUF = "sft", "dpo", "eval perplexity", "quantize bitsandbytes", "export gguf"


@dataclass(frozen=True)
class Case:
    """A command to run and to estimate.

    Args:
        verb: the words of the command.
        tokens: of each row.
        rows: how many there are.
        options: of the command, by name.
    """

    verb: str
    model: str
    tokens: int
    rows: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        said = " ".join(f"{key} {value}" if value is not True else key for key, value in self.options.items())
        rows = f", {self.rows} x {self.tokens} tokens" if self.reads_rows else ""
        return f"{self.verb}: {self.model}{rows}" + (f", {said}" if said else "")

    @property
    def trains(self) -> bool:
        return self.verb in (SFT, DPO)

    @property
    def reads_rows(self) -> bool:
        return self.verb not in (NF4, GGUF)

    @property
    def words(self) -> list[str]:
        given: list[str] = self.verb.split()
        for key, value in self.options.items():
            given += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        return given


def case(verb: str, model: str, tokens: int, rows: int, **options: Any) -> Case:
    return Case(verb, model, tokens, rows, {key.replace("__", ".").replace("_", "-"): value for key, value in options.items()})


LORA, FULL = {"adapter": "lora"}, {"adapter": "full"}
CASES = (
    case(SFT, "smollm2", 256, 4, **LORA, precision="bfloat16"),
    case(SFT, "smollm2", 2048, 1, **LORA, precision="bfloat16"),
    case(SFT, "smollm2", 256, 4, **LORA, adapter__r=64, precision="float32"),
    case(SFT, "smollm2", 1024, 2, **LORA, precision="bfloat16", gradient_checkpointing=True),
    case(SFT, "smollm2", 128, 8, **FULL, optimizer="adamw", precision="float32"),
    case(SFT, "granite-140m", 256, 4, **LORA, precision="bfloat16"),
    case(SFT, "smollm2", 512, 1, adapter="dora", precision="float32"),
    case(SFT, "smollm2", 256, 2, adapter="qlora", precision="bfloat16"),
    case(SFT, "smollm2", 256, 2, **FULL, optimizer="adamw-8bit", precision="bfloat16"),
    case(DPO, "smollm2", 256, 2, **LORA, precision="bfloat16"),
    case(PERPLEXITY, "smollm2", 512, 8),
    case(SFT, "llama-350m", 512, 1, **LORA, precision="bfloat16"),
    case(SFT, "llama-350m", 256, 4, **LORA, precision="float32", max_tokens_per_microbatch=256),
    case(SFT, "qwen3-200m", 512, 2, **LORA, precision="bfloat16"),
    case(SFT, "gemma2-160m", 256, 4, **LORA, precision="bfloat16"),
    case(SFT, "qwen2-wide", 512, 2, **LORA, precision="float32"),
    case(SFT, "llama-350m", 128, 2, adapter="qlora", precision="bfloat16"),
    case(SFT, "qwen3-200m", 256, 2, **FULL, optimizer="galore", optimizer__rank=64, precision="float32"),
    case(DPO, "qwen3-200m", 128, 2, **FULL, optimizer="adamw", precision="bfloat16"),
    case(PERPLEXITY, "llama-350m", 1024, 2, precision="bfloat16"),
    case(NF4, "smollm2", 0, 0),
    case(NF4, "llama-350m", 0, 0),
    case(GGUF, "smollm2", 0, 0),
)
