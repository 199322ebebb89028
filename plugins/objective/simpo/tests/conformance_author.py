"""What the conformance kit can't know: the paper's formula (arXiv:2405.14734, equation 6), pair by pair and in probabilities."""

import torch


def oracle(case, batch):
    """The expected surprise at the preference, under labels that are wrong with the probability `label_smoothing`, summed."""
    beta, gamma, wrong = (case.settings[name] for name in ("beta", "simpo_gamma", "label_smoothing"))
    total, used = batch.policy.new_zeros(()), 0
    for first in range(0, len(batch.lengths), 2):
        worth = []
        for length in batch.lengths[first : first + 2]:
            worth.append(torch.exp(batch.policy[used : used + length].mean()) ** beta)
            used += length
        preferred = worth[0] / (worth[0] + worth[1] * torch.exp(torch.tensor(gamma)))
        total = total - (1 - wrong) * torch.log(preferred) - wrong * torch.log(1 - preferred)
    return total
