"""What `kto` asks of the model."""

from __future__ import annotations

from tunesmith_kto.settings import UtilitySettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: UtilitySettings) -> Asks:
    baseline = settings.loss_type == "kto"
    return Asks(reference=True, entropy="value", measured=1.0 if baseline else 0.0, statistics=1 if baseline else 0)


parts = estimator(asks, UtilitySettings)
