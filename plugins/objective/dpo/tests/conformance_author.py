"""What the conformance kit can't know: the formula of the paper (arXiv:2305.18290, equation 7), pair by pair and in probabilities."""

import torch


def oracle(case, batch):
    """The expected loss of each pair under labels that are wrong with the probability `label_smoothing`, summed."""
    beta, wrong = case.settings["beta"], case.settings["label_smoothing"]
    total, used = batch.policy.new_zeros(()), 0
    for first in range(0, len(batch.lengths), 2):
        ratios = []  # of each answer's probability to what it was, to the power of beta
        for length in batch.lengths[first : first + 2]:
            answer = slice(used, used + length)
            ratios.append(torch.exp(beta * (batch.policy[answer] - batch.reference[answer]).sum()))
            used += length
        preferred = ratios[0] / (ratios[0] + ratios[1])  # Bradley and Terry
        total = total - (1 - wrong) * torch.log(preferred) - wrong * torch.log(1 - preferred)
    return total
