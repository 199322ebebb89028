"""The adapter `dora`."""

from __future__ import annotations

from tunesmith_dora.settings import DoraSettings
from tunesmith_peft.adapter import PeftAdapter


class Dora(PeftAdapter):
    """Of each row of W + (alpha / r) B A only the direction is kept; its length is a parameter of its own."""

    def __init__(self, settings: DoraSettings) -> None:
        options = {
            "r": settings.r, "lora_alpha": settings.alpha, "use_rslora": settings.rank_stabilised, "lora_dropout": settings.dropout,
            "use_dora": True,
        }  # fmt: skip
        super().__init__("lora", options, targets=settings.targets)
