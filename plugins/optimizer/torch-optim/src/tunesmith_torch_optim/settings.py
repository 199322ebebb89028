"""Settings of the optimizers. Standard library and contracts only: the manifest is made from them."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

_DECAY = "share of a weight that a step takes off it, times the learning rate; never of norms' weights and biases"


@dataclass(frozen=True)
class AdamWSettings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta1: float = setting(0.9, "decay of the mean of gradients", ge=0, lt=1, aliases=("adam_beta1",))
    beta2: float = setting(0.999, "decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",))
    eps: float = setting(
        1e-8, "added to the root of the mean square, so that nothing is divided by zero", gt=0, aliases=("epsilon", "adam_epsilon")
    )


@dataclass(frozen=True)
class AdafactorSettings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    beta2_decay: float = setting(-0.8, "the mean square of step t forgets the share t to the power of this", le=0)
    clip_threshold: float = setting(1.0, "largest root mean square of a step, before the learning rate", ge=1)


@dataclass(frozen=True)
class MuonSettings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    momentum: float = setting(0.95, "decay of the mean of a matrix's gradients", ge=0, lt=1)
    nesterov: bool = setting(True, "look ahead: orthogonalise the mean as it will be after this gradient once more")
    ns_steps: int = setting(5, "Newton-Schulz iterations of the orthogonalisation", ge=1, le=99)
    beta1: float = setting(0.9, "of AdamW, for embeddings and vectors: decay of the mean of gradients", ge=0, lt=1, aliases=("adam_beta1",))
    beta2: float = setting(
        0.999, "of AdamW, for embeddings and vectors: decay of the mean of squared gradients", ge=0, lt=1, aliases=("adam_beta2",)
    )


@dataclass(frozen=True)
class SGDSettings:
    weight_decay: float = setting(0.0, _DECAY, ge=0)
    momentum: float = setting(0.9, "share of the last step that is taken again; 0 keeps nothing", ge=0, lt=1)
    nesterov: bool = setting(False, "look ahead along the momentum")
