"""Settings of the 8-bit optimizers. Standard library and contracts only: the manifest is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_DECAY = "share of a weight that a step takes off it, times the learning rate; never of norms' weights and biases"
_EMBEDDINGS = "bits of the state of embeddings and output heads; their gradients vary most, so that 8 bits may harm them"


@dataclass(frozen=True)
class AdamW8Settings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta1: float = setting(0.9, "decay of the mean of gradients", ge=0, lt=1, aliases=("adam_beta1",))
    beta2: float = setting(0.999, "decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",))
    eps: float = setting(
        1e-8, "added to the root of the mean square, so that nothing is divided by zero", gt=0, aliases=("epsilon", "adam_epsilon")
    )
    embedding_bits: int = setting(32, _EMBEDDINGS, choices=(8, 32))


@dataclass(frozen=True)
class Lion8Settings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta1: float = setting(
        0.9, "share of the momentum in a step's direction, the rest is the gradient's", ge=0, lt=1, aliases=("adam_beta1",)
    )
    beta2: float = setting(0.99, "decay of the momentum", ge=0, lt=1, aliases=("adam_beta2",))
    embedding_bits: int = setting(32, _EMBEDDINGS, choices=(8, 32))
