"""What the conformance kit can't know: the papers' formulas (arXiv:2305.18290, equation 7; 2404.04656), pair by pair, in probabilities."""

import torch


def oracle(case, batch):
    """The expected loss of each pair under labels that are wrong with the probability `label_smoothing`, and that of a classifier of
    rewards, summed."""
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
        usual = torch.exp(batch.state["reward_mean"])
        total = total - torch.log(ratios[0] / (ratios[0] + usual)) - torch.log(usual / (usual + ratios[1]))
    return total
