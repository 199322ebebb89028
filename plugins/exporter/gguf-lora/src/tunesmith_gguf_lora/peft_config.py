"""What PEFT's adapter_config.json says, as far as a GGUF adapter can say it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError

_MORE = ("use_dora", "modules_to_save", "target_parameters", "fan_in_fan_out", "lora_bias", "trainable_token_indices", "use_qalora")


@dataclass(frozen=True)
class LoraConfig:
    """
    Args:
        alpha: of the file: llama.cpp scales by alpha / rank.
        said: the config.
    """

    alpha: float
    said: Mapping[str, Any]

    @classmethod
    def read(cls, directory: Path) -> LoraConfig:
        """
        Raises:
            UserError: TS-EXPORT-004 for an adapter of another kind, or one that does more than LoRA.
        """
        said = json.loads((directory / "adapter_config.json").read_text("utf-8"))
        found = cls(float(said.get("lora_alpha") or said.get("r") or 1), said)
        if said.get("peft_type") != "LORA":
            raise found.cannot(f"It is {said.get('peft_type')}, and llama.cpp knows LoRA alone.")
        if more := [name for name in _MORE if said.get(name)]:
            raise found.cannot(f"It has `{more[0]}`, which llama.cpp does not know.")
        if said.get("bias", "none") != "none":
            raise found.cannot("It trains biases, which llama.cpp does not know.")
        return found

    def family(self, base: Mapping[str, Any], known: Mapping[str, tuple[str, Mapping[str, str]]]) -> tuple[str, Mapping[str, str]]:
        """
        Args:
            base: the base model's config.json.
            known: by model_type.

        Raises:
            UserError: TS-EXPORT-004.
        """
        kind = str(base.get("model_type", ""))
        if kind not in known:
            raise self.cannot(
                f"The order of rows in a {kind} model is not known here; known are: {', '.join(sorted(known))}."
                if kind
                else "The config.json of its base model is not there; lay it beside the adapter."
            )
        return known[kind]

    def scale(self, module: str, rank: int) -> float:
        """By which PEFT multiplies B A of a module."""
        alpha = _of(self.said.get("alpha_pattern"), module, float(self.said.get("lora_alpha") or rank))
        return alpha / (math.sqrt(rank) if self.said.get("use_rslora") else rank)

    def cannot(self, why: str) -> UserError:
        return UserError(
            "TS-EXPORT-004", "The adapter can't be said as a GGUF file", why=why,
            fix="Merge it into its base and export that: `export: gguf` with `from` this step has the plan do both.",
        )  # fmt: skip


def _of(pattern: Any, module: str, otherwise: float) -> float:
    """A module's own value: PEFT matches the end of its name."""
    found = [value for key, value in (pattern or {}).items() if re.match(rf"(.*\.)?({key})$", module)]
    return float(found[0]) if found else otherwise
