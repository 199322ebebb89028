"""Settings of the optimizers. Standard library and contracts only: the manifest is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_DECAY = "share of a weight that a step takes off it, times the learning rate; never of norms' weights and biases"


@dataclass(frozen=True)
class GaloreSettings:
    rank: int = setting(128, "directions of a matrix's gradients that are kept; a matrix with no side longer than it is left whole", ge=1)
    update_proj_gap: int = setting(200, "steps after which the directions are found anew, by a singular value decomposition", ge=1)
    scale: float = setting(0.25, "what a projected step is multiplied with, beside the learning rate", gt=0)
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta1: float = setting(0.9, "decay of the mean of gradients", ge=0, lt=1, aliases=("adam_beta1",))
    beta2: float = setting(0.999, "decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",))
    eps: float = setting(
        1e-6, "added to the root of the mean square, so that nothing is divided by zero", gt=0, aliases=("epsilon", "adam_epsilon")
    )


@dataclass(frozen=True)
class ApolloSettings:
    rank: int = setting(
        256, "random directions in which a matrix's gradients are watched; 1 with `scale_type: tensor` is APOLLO-Mini", ge=1
    )
    update_proj_gap: int = setting(200, "steps after which the directions are drawn anew", ge=1)
    scale: float = setting(1.0, "a step is multiplied with the root of this, beside the learning rate; 128 for APOLLO-Mini", gt=0)
    scale_type: str = setting(
        "channel", "what has a step size of its own: each row or column, or the matrix", choices=("channel", "tensor")
    )
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta1: float = setting(0.9, "decay of the mean of gradients", ge=0, lt=1, aliases=("adam_beta1",))
    beta2: float = setting(0.999, "decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",))
    eps: float = setting(
        1e-6, "added to the root of the mean square, so that nothing is divided by zero", gt=0, aliases=("epsilon", "adam_epsilon")
    )
