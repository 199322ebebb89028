"""What `orpo` asks of the model."""

from __future__ import annotations

from tunesmith_orpo.settings import OddsRatioSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: OddsRatioSettings) -> Asks:
    return Asks(sequences=2, entropy="value")


parts = estimator(asks, OddsRatioSettings)
