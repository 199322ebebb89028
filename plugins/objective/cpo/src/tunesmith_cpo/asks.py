"""What `cpo` asks of the model."""

from __future__ import annotations

from tunesmith_cpo.settings import ContrastiveSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: ContrastiveSettings) -> Asks:
    """
    Raises:
        UserError: TS-TRAIN-093 when a setting is read by another loss only.
    """
    settings.check()
    return Asks(sequences=2, entropy="value")


parts = estimator(asks, ContrastiveSettings)
