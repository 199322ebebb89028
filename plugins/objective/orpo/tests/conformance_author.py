"""What the conformance kit can't know: the paper's formula (arXiv:2403.07691, equations 6 and 7), pair by pair and in odds."""

import torch


def oracle(case, batch):
    """Summed over the pairs."""
    total, used = batch.policy.new_zeros(()), 0
    for first in range(0, len(batch.lengths), 2):
        likely = []
        for length in batch.lengths[first : first + 2]:
            likely.append(torch.exp(batch.policy[used : used + length].mean()))
            used += length
        ratio = likely[0] / (1 - likely[0]) / (likely[1] / (1 - likely[1]))
        total = total - torch.log(likely[0]) - case.settings["beta"] * torch.log(ratio / (1 + ratio))
    return total
