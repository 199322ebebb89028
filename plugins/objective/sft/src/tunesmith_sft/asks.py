"""What `sft` asks of the model."""

from __future__ import annotations

from tunesmith_sft.settings import SupervisedSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: SupervisedSettings) -> Asks:
    return Asks()


parts = estimator(asks, SupervisedSettings)
