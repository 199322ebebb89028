"""What becomes of several differences from one base: PEFT's functions, told by name.

linear: the weighted sum (Ilharco et al., arXiv:2212.04089). ties: Yadav et al., arXiv:2306.01708. dare: Yu et al., arXiv:2311.03099.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from peft.utils.merge_utils import dare_linear, dare_ties, task_arithmetic, ties


def together(differences: Sequence[torch.Tensor], weights: Sequence[float], method: str, density: float) -> torch.Tensor:
    """One difference, of the shape of each, in float32. dare draws from torch's generator."""
    given, shares = [difference.float() for difference in differences], torch.tensor(weights)
    if method == "linear":
        return task_arithmetic(given, shares)
    return {"ties": ties, "dare": dare_linear, "dare-ties": dare_ties}[method](given, shares, density)
