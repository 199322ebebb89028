"""Settings of the adapter `peft`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PeftSettings:
    peft_type: str = setting(
        "lora", "PEFT's name of the method, in small letters (loha, lokr, hra, miss, c3a, road, waveft ...); METHODS.md lists all",
        examples=("loha", "vblora"), aliases=("method",),
    )  # fmt: skip
    options: dict[str, Any] = setting(
        {}, "options of the method's configuration class, by PEFT's names; checked before anything runs. `target_modules` is all linear "
        "layers but the output head unless it says otherwise", examples=({"r": 16, "lora_alpha": 32},),
    )  # fmt: skip
