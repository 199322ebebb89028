"""The adapter `vera`."""

from __future__ import annotations

from tunesmith_peft.adapter import PeftAdapter
from tunesmith_vera.settings import VeraSettings


class Vera(PeftAdapter):
    """Beside W an update diag(b) B diag(d) A, with A and B random, frozen and shared by all layers; b and d train."""

    def __init__(self, settings: VeraSettings) -> None:
        options = {
            "r": settings.r, "d_initial": settings.start, "projection_prng_key": settings.key, "save_projection": settings.keep_matrices,
            "vera_dropout": settings.dropout,
        }  # fmt: skip
        super().__init__("vera", options, targets=settings.targets)
