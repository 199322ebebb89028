"""What `grpo` asks of the model."""

from __future__ import annotations

from tunesmith_completions import completion_estimator
from tunesmith_grpo.settings import GroupSettings
from tunesmith_torch.api import Asks


def asks(settings: GroupSettings) -> Asks:
    """
    Raises:
        UserError: TS-TRAIN-123 for settings that contradict one another.
    """
    settings.check()
    sampling = settings.sampling(
        num_generations=settings.num_generations, num_iterations=settings.num_iterations,
        steps_per_generation=settings.steps_per_generation, max_resamplings=settings.max_resamplings,
    )  # fmt: skip
    return Asks(sequences=float(settings.num_generations), reference=settings.beta > 0, entropy="value", sampling=sampling)


parts = completion_estimator(asks, GroupSettings, "grpo")
