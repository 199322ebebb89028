"""What `ppo` asks of the model."""

from __future__ import annotations

from tunesmith_completions import completion_estimator
from tunesmith_ppo.settings import ProximalSettings
from tunesmith_torch.api import Asks, Head

VALUE = "value"  #: the head; it begins with zeros, so that the first advantages are those of the rewards alone


def asks(settings: ProximalSettings) -> Asks:
    """
    Raises:
        UserError: TS-TRAIN-127 for settings that contradict one another.
    """
    settings.check()
    sampling = settings.sampling(
        num_generations=settings.num_generations, num_iterations=settings.num_ppo_epochs, steps_per_generation=settings.num_mini_batches,
        shuffle=True, measured=True,
    )  # fmt: skip
    return Asks(
        sequences=float(settings.num_generations), reference=settings.kl_coef > 0, entropy="value", sampling=sampling,
        heads=(Head(VALUE, bias=True, zeros=True),),
    )  # fmt: skip


parts = completion_estimator(asks, ProximalSettings, "ppo")
