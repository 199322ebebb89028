"""The adapter `boft`."""

from __future__ import annotations

from tunesmith_boft.settings import BoftSettings
from tunesmith_peft.api import PeftAdapter


class Boft(PeftAdapter):
    """Each layer's inputs go through a product of block-diagonal orthogonal matrices (a butterfly), its outputs are scaled."""

    def __init__(self, settings: BoftSettings) -> None:
        options = {
            "boft_block_size": settings.boft_block_size, "boft_block_num": 0, "boft_n_butterfly_factor": settings.boft_n_butterfly_factor,
            "boft_dropout": settings.boft_dropout,
        }  # fmt: skip
        super().__init__("boft", options, targets=settings.target_modules)
