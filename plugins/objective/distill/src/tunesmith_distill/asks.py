"""What `distill` asks of the models."""

from __future__ import annotations

from tunesmith_distill.settings import DistillSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: DistillSettings) -> Asks:
    return Asks(teacher=settings.top_k)


parts = estimator(asks, DistillSettings)
