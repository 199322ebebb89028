"""What `dpo` asks of the model."""

from __future__ import annotations

from tunesmith_dpo.settings import PreferenceSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: PreferenceSettings) -> Asks:
    return Asks(sequences=2, reference=True)


parts = estimator(asks, PreferenceSettings)
