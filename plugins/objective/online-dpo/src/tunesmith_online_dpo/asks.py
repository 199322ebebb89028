"""What `online-dpo` asks of the model."""

from __future__ import annotations

from tunesmith_completions import completion_estimator
from tunesmith_online_dpo.settings import OnlinePreferenceSettings
from tunesmith_torch.api import Asks


def asks(settings: OnlinePreferenceSettings) -> Asks:
    """Of each prompt two completions train, however many are sampled."""
    sampling = settings.sampling(
        num_generations=settings.num_generations, max_resamplings=settings.max_resamplings, together=True, top_p=settings.top_p,
        top_k=settings.top_k, min_p=settings.min_p,
    )  # fmt: skip
    return Asks(sequences=2.0, reference=True, entropy="value", sampling=sampling)


parts = completion_estimator(asks, OnlinePreferenceSettings, "online-dpo")
