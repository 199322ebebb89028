"""What the conformance kit can't know: the loss by torch's binary cross-entropy, whose logit is the difference of the scores."""

import torch
from torch.nn import functional


def oracle(case, batch):
    """Each pair is a coin that should show 1: the chosen answer won. The margins are a handicap of the scores."""
    scores = batch.scores["score"].squeeze(1)
    handicap = torch.tensor([group.facts.get("margin", 0.0) for group in batch.groups], dtype=scores.dtype)
    logits = scores[0::2] - scores[1::2] - handicap
    won = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="sum")
    return won + case.settings["center_rewards_coefficient"] * (scores[0::2] + scores[1::2]).pow(2).sum()
