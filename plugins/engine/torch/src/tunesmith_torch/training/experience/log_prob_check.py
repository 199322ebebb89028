"""Sampler and training step held against each other: the same ids have to have the same log-probabilities by both.

Where they differ, the ratio that an objective weighs completions with is biased before anything was learned. It is looked at before the
first optimizer step. Losses never compare the two: ratios are of the training step's own log-probabilities, before and after.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Step, TunesmithError
from tunesmith_torch.api import Rollout


def check_log_probs(step: Step, rollouts: Sequence[Rollout], trained: Sequence[Sequence[float]], dtype: str, bound: float) -> None:
    """
    Args:
        trained: of each rollout's completion, by the training step.
        dtype: in which that computes.
        bound: of the sampler: nats a token, on average.

    Raises:
        TunesmithError: TS-TRAIN-121 when they are further apart than what rounding explains.
    """
    pairs = [pair for rollout, own in zip(rollouts, trained, strict=True) for pair in zip(rollout.log_probs, own, strict=True)]
    if not pairs:
        return
    mean = sum(abs(one - other) for one, other in pairs) / len(pairs)
    if not mean <= bound:
        raise TunesmithError(
            "TS-TRAIN-121", f"The sampler's log-probabilities are {mean:.2g} nats a token away from the training step's",
            why=f"Of {len(pairs)} tokens that both were given; in {dtype}, rounding explains up to {bound:g} with this sampler. What is "
            "trained would be weighed by another distribution than the one it was drawn from.",
            fix="Report it with the model's name. Try `dtype: float32`, or an adapter without dropout.",
        )  # fmt: skip
    step.decide(f"sampler and training step agree to {mean:.0e} nats a token", f"the same {len(pairs)} sampled tokens by both, in {dtype}")
