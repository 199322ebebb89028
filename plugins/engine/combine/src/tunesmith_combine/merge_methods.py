"""What becomes of several differences from one base: PEFT's functions, told by name, and what PEFT lacks.

linear: the weighted sum (Ilharco et al., arXiv:2212.04089). ties: Yadav et al., arXiv:2306.01708. dare: Yu et al., arXiv:2311.03099.
della: Deep et al., arXiv:2406.11617. slerp: Shoemake, SIGGRAPH 1985. model-stock: Jang et al., arXiv:2403.19522.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from peft.utils.merge_utils import calculate_majority_sign_mask, dare_linear, dare_ties, disjoint_merge, task_arithmetic, ties

from tunesmith_combine.settings import CombineSettings

_ALIKE = 0.9995  # cosine beyond which an arc is as good as its chord
_SMALL = 1e-8


def together(base: torch.Tensor, differences: Sequence[torch.Tensor], weights: Sequence[float], settings: CombineSettings) -> torch.Tensor:
    """One difference, of the shape of each, in float32. dare and della draw from torch's generator."""
    given, shares, method = [difference.float() for difference in differences], torch.tensor(weights), settings.merge_method
    if method == "linear":
        return task_arithmetic(given, shares)
    if method == "della":
        return _della(given, shares, settings.density, settings.epsilon)
    if method == "slerp":
        one, other = (base.float() + difference for difference in given)
        return slerp(one, other, float(shares[1] / shares.sum())) - base.float()
    if method == "model-stock":
        return model_stock(given)
    return {"ties": ties, "dare": dare_linear, "dare-ties": dare_ties}[method](given, shares, settings.density)


def slerp(one: torch.Tensor, other: torch.Tensor, t: float) -> torch.Tensor:
    """The point at the share `t` of the arc between two tensors as vectors; of their chord where they point the same way or oppositely."""
    cosine = float((one * other).sum() / (one.norm() * other.norm()).clamp(min=_SMALL))
    if abs(cosine) > _ALIKE:
        return (1 - t) * one + t * other
    angle = torch.acos(torch.tensor(cosine))
    return (torch.sin((1 - t) * angle) * one + torch.sin(t * angle) * other) / torch.sin(angle)


def model_stock(differences: Sequence[torch.Tensor]) -> torch.Tensor:
    """Their mean, made shorter by the angle between them: k cos / (1 + (k - 1) cos) of k models, for the mean cosine of two."""
    pairs = [(one * other).sum() / (one.norm() * other.norm()).clamp(min=_SMALL) for one, other in combinations(differences, 2)]
    cosine, count = torch.stack(pairs).mean().clamp(-1, 1), len(differences)
    below = 1 + (count - 1) * cosine
    share = count * cosine / below if below.abs() > _SMALL else torch.zeros(())  # of what cancels out nothing can be told
    return share * torch.stack(list(differences)).mean(0)


def sparsified(difference: torch.Tensor, density: float, epsilon: float) -> torch.Tensor:
    """della's: of each row the number at rank r of n is kept with probability `density` - e + 2 e r / (n - 1), and divided by it."""
    rows = difference.reshape(1, -1) if difference.ndim < 2 else difference.reshape(-1, difference.shape[-1])
    epsilon = min(epsilon, density, 1 - density)
    ranks = rows.abs().argsort(dim=1).argsort(dim=1).float() / max(rows.shape[1] - 1, 1)
    kept = (density - epsilon + 2 * epsilon * ranks).clamp(min=_SMALL)
    return (rows * torch.bernoulli(kept) / kept).reshape(difference.shape)


def _della(differences: Sequence[torch.Tensor], weights: torch.Tensor, density: float, epsilon: float) -> torch.Tensor:
    sparse = torch.stack([sparsified(difference, density, epsilon) for difference in differences])
    signs = calculate_majority_sign_mask(sparse)
    return disjoint_merge(sparse * weights.view(-1, *[1] * (sparse.ndim - 1)), signs)
