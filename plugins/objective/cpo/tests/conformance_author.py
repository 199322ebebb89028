"""What the conformance kit can't know: the paper's formula (arXiv:2401.08417, equation 3), pair by pair and in probabilities."""

import torch


def oracle(case, batch):
    """The expected surprise at the preference, and that at the chosen answer's tokens, summed over the pairs."""
    beta, wrong, share = (case.settings[name] for name in ("beta", "label_smoothing", "cpo_alpha"))
    total, used = batch.policy.new_zeros(()), 0
    for first in range(0, len(batch.lengths), 2):
        tokens = []
        for length in batch.lengths[first : first + 2]:
            tokens.append(batch.policy[used : used + length])
            used += length
        worth = [torch.exp(beta * own.sum()) for own in tokens]
        preferred = worth[0] / (worth[0] + worth[1])
        total = total - (1 - wrong) * torch.log(preferred) - wrong * torch.log(1 - preferred) - share * tokens[0].mean()
    return total
