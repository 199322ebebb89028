"""The adapter `vera`."""

from __future__ import annotations

from tunesmith_peft.api import PeftAdapter
from tunesmith_vera.settings import VeraSettings


class Vera(PeftAdapter):
    """Beside W an update diag(b) B diag(d) A, with A and B random, frozen and shared by all layers; b and d train."""

    def __init__(self, settings: VeraSettings) -> None:
        options = {
            "r": settings.r, "d_initial": settings.d_initial, "projection_prng_key": settings.projection_prng_key,
            "save_projection": settings.save_projection,
            "vera_dropout": settings.vera_dropout,
        }  # fmt: skip
        super().__init__("vera", options, targets=settings.target_modules)
