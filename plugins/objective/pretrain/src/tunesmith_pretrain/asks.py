"""What `pretrain` asks of the model."""

from __future__ import annotations

from tunesmith_pretrain.settings import PretrainSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: PretrainSettings) -> Asks:
    return Asks(pieces=True)


parts = estimator(asks, PretrainSettings)
