"""What `dpo` asks of the model."""

from __future__ import annotations

from tunesmith_dpo.settings import OF_THE_BATCH, PreferenceSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: PreferenceSettings) -> Asks:
    """
    Raises:
        UserError: TS-TRAIN-093 when the settings do not fit together.
    """
    settings.check()
    of_the_batch = bool(set(OF_THE_BATCH) & set(settings.losses))
    return Asks(sequences=2, reference=True, entropy="value", log_sum_sq=settings.use_weighting, statistics=4 if of_the_batch else 0)


parts = estimator(asks, PreferenceSettings)
