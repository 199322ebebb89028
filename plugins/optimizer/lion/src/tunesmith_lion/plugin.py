"""What this plugin brings: the optimizer `lion`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_lion.settings import LionSettings


@hookimpl
def optimizer() -> Provider:
    return Provider(
        name="lion",
        summary="steps of one size along the sign of the momentum: half of AdamW's memory",
        target="tunesmith_lion.optimizer:Lion",
        settings=LionSettings,
        estimator="tunesmith_lion.estimate:parts",
    )
