"""What the conformance kit can't know: the paper's value function (arXiv:2402.01306, equation 7), row by row, in odds."""

import torch


def oracle(case, batch):
    """lambda_y - v(x, y), summed."""
    settings, far = case.settings, torch.relu(batch.statistics.mean())
    weights = {True: settings["desirable_weight"], False: settings["undesirable_weight"]}
    total, used = batch.policy.new_zeros(()), 0
    for group, length in zip(batch.groups, batch.lengths, strict=True):
        answer, label = slice(used, used + length), group.facts["label"]
        gain = (batch.policy[answer] - batch.reference[answer]).sum() - far
        odds = torch.exp(settings["beta"] * gain) ** (1 if label else -1)
        total = total + weights[label] - weights[label] * odds / (1 + odds)
        used += length
    return total
