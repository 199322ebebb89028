"""The adapter `oft`."""

from __future__ import annotations

from tunesmith_oft.settings import OftSettings
from tunesmith_peft.api import PeftAdapter


class Oft(PeftAdapter):
    """Each layer's inputs go through a block-diagonal orthogonal matrix, made of a skew-symmetric one (Cayley) that trains."""

    def __init__(self, settings: OftSettings) -> None:
        options = {
            "r": 0, "oft_block_size": settings.oft_block_size, "block_share": settings.block_share,
            "use_cayley_neumann": settings.use_cayley_neumann,
        }  # fmt: skip
        super().__init__("oft", options, targets=settings.target_modules)
