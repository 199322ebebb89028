"""What `grpo` asks of the model."""

from __future__ import annotations

from tunesmith_grpo.settings import GroupSettings
from tunesmith_torch.api import Asks, Sampling, estimator


def asks(settings: GroupSettings) -> Asks:
    """
    Raises:
        UserError: TS-TRAIN-123 for settings that contradict one another.
    """
    settings.check()
    sampling = Sampling(
        settings.num_generations, settings.max_completion_length, settings.temperature, settings.top_p, settings.top_k, settings.min_p,
        tuple(settings.stop), settings.num_iterations, settings.steps_per_generation,
    )  # fmt: skip
    return Asks(sequences=float(settings.num_generations), reference=settings.beta > 0, entropy="value", sampling=sampling)


parts = estimator(asks, GroupSettings)
