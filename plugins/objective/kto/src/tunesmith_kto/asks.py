"""What `kto` asks of the model."""

from __future__ import annotations

from tunesmith_kto.settings import UtilitySettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: UtilitySettings) -> Asks:
    measured = 1.0 if settings.loss_type == "kto" else 0.0
    return Asks(reference=True, entropy="value", measured=measured, statistics=0 if settings.loss_type == "apo_zero_unpaired" else 1)


parts = estimator(asks, UtilitySettings)
