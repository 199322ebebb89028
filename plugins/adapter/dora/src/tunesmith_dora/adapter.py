"""The adapter `dora`."""

from __future__ import annotations

from tunesmith_dora.settings import DoraSettings
from tunesmith_peft.api import PeftAdapter


class Dora(PeftAdapter):
    """Of each row of W + (alpha / r) B A only the direction is kept; its length is a parameter of its own."""

    def __init__(self, settings: DoraSettings) -> None:
        options = {
            "r": settings.r, "lora_alpha": settings.lora_alpha, "use_rslora": settings.use_rslora, "lora_dropout": settings.lora_dropout,
            "use_dora": True,
        }  # fmt: skip
        super().__init__("lora", options, targets=settings.target_modules)
