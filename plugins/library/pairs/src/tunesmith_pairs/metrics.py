"""What users look at while answers are compared, and how a provider's record names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith_pairs.answers import Answers
from tunesmith_torch.api import Mean, MicroBatch

if TYPE_CHECKING:
    from torch import Tensor

REWARDS = {
    "rewards/chosen": ("higher", "reward of the chosen answer"),
    "rewards/rejected": ("lower", "reward of the rejected answer"),
    "rewards/margin": ("higher", "reward of the chosen answer above that of the rejected one"),
    "rewards/accuracy": ("higher", "share of the pairs whose chosen answer has the higher reward"),
    "logps/chosen": ("higher", "log-probability of the chosen answer"),
    "logps/rejected": ("lower", "log-probability of the rejected answer"),
    "length/chosen": ("", "trained tokens of the chosen answer"),
    "length/rejected": ("", "trained tokens of the rejected answer"),
    "length/correlation": ("", "of two answers of different lengths: 1 if the longer one always has the higher reward, -1 if never"),
}  #: of pairs
ENTROPY = {"entropy": ("", "of the model's distribution at a trained token, in nats")}
DISTANCE = {"kl": ("lower", "how far the model is from the reference at the answers' tokens (half the squared log-ratio), in nats")}


def told(metrics: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, Any]]:
    """The fact ``metrics`` of an objective that reports these."""
    found = {}
    for name, (better, summary) in metrics.items():
        judged = {"summary": summary, "with": ["validation", "validation_split"]}
        found[f"validation_{name}"] = {"better": better, **judged} if better else judged
    return found


def pair_metrics(batch: MicroBatch, rewards: Answers, log_probs: Answers) -> dict[str, Tensor | Mean]:
    """`REWARDS` of a micro-batch of pairs, and what `token_metrics` gives.

    Args:
        rewards: as the loss has them.
        log_probs: sums over the answers' tokens.
    """
    import torch

    chosen, rejected = (value.detach() for value in rewards)
    lengths = torch.tensor(batch.lengths, dtype=chosen.dtype, device=chosen.device)
    longer = torch.sign(lengths[0::2] - lengths[1::2])
    return {
        "rewards/chosen": chosen.sum(), "rewards/rejected": rejected.sum(), "rewards/margin": (chosen - rejected).sum(),
        "rewards/accuracy": (chosen > rejected).sum(),
        "logps/chosen": log_probs.chosen.detach().sum(), "logps/rejected": log_probs.rejected.detach().sum(),
        "length/chosen": lengths[0::2].sum(), "length/rejected": lengths[1::2].sum(),
        "length/correlation": Mean((longer * torch.sign(chosen - rejected)).sum(), longer.abs().sum()),
        **token_metrics(batch),
    }  # fmt: skip


def token_metrics(batch: MicroBatch) -> dict[str, Mean]:
    """`DISTANCE` where there is a reference, `ENTROPY` where the model gives it: means over the answers' tokens."""
    count = batch.policy.new_tensor(len(batch.policy))
    found = {}
    if batch.reference is not None:
        # k2 of Schulman's "Approximating KL Divergence" (2020): the given answers are no samples of the model, for which k1 may
        # be negative, and k3 grows beyond all bounds where the model gives up a rejected token.
        found["kl"] = Mean(((batch.policy.detach() - batch.reference) ** 2).sum() / 2, count)
    if batch.entropy is not None:
        found["entropy"] = Mean(batch.entropy.sum(), count)
    return found
