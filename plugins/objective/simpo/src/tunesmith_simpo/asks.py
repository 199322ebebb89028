"""What `simpo` asks of the model."""

from __future__ import annotations

from tunesmith_simpo.settings import SimpleSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: SimpleSettings) -> Asks:
    return Asks(sequences=2, entropy="value")


parts = estimator(asks, SimpleSettings)
