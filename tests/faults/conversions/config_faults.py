"""Faults in a model's config: the weights are whole, what is computed with them is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .case import copy, fault
from .model_files import edited_json


@fault("llama", "outputs", "gate")
def wrong_rope_base(parent: Path, child: Path) -> None:
    """Positions rotate by another base: rope_theta is 500,000 instead of 10,000."""
    _set(parent, child, rope_parameters={"rope_type": "default", "rope_theta": 500000.0})


@fault("long_context", "outputs", "gate")
def rope_scaling_lost(parent: Path, child: Path) -> None:
    """The stretching of positions is not in the child's config."""
    _set(parent, child, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})


@fault("llama", "outputs", "gate")
def wrong_head_count(parent: Path, child: Path) -> None:
    """Twice as many heads of half the size: every shape fits."""
    _set(parent, child, num_attention_heads=8, num_key_value_heads=4, head_dim=8)


@fault("mistral", "outputs", "gate")
def sliding_window_lost(parent: Path, child: Path) -> None:
    """Attention looks at everything before, the parent's eight tokens back."""
    _set(parent, child, sliding_window=None)


@fault("gemma2", "outputs", "gate")
def attention_scale_lost(parent: Path, child: Path) -> None:
    """Attention is scaled by the family's usual factor instead of the model's."""
    _set(parent, child, query_pre_attn_scalar=256)


@fault("gemma2", "outputs", "gate")
def softcapping_lost(parent: Path, child: Path) -> None:
    """Logits are not held within their bound any more."""
    _set(parent, child, final_logit_softcapping=None)


@fault("granite", "outputs", "gate")
def residual_multiplier_lost(parent: Path, child: Path) -> None:
    """Layers add their whole output instead of a part of it."""
    _set(parent, child, residual_multiplier=1.0)


@fault("granite", "outputs", "gate")
def logits_scaling_lost(parent: Path, child: Path) -> None:
    """Logits are not divided any more: the same token is first, but each probability is another."""
    _set(parent, child, logits_scaling=1.0)


@fault("llama", "outputs", "gate")
def wrong_activation(parent: Path, child: Path) -> None:
    """The layers' activation is ReLU instead of SiLU."""
    _set(parent, child, hidden_act="relu")


@fault("mixtral", "outputs", "gate")
def fewer_experts_asked(parent: Path, child: Path) -> None:
    """One expert for each token instead of two."""
    _set(parent, child, num_experts_per_tok=1)


@fault("llama", "outputs", "gate")
def wrong_norm_epsilon(parent: Path, child: Path) -> None:
    """The norms' epsilon is 1 instead of a millionth."""
    _set(parent, child, rms_norm_eps=1.0)


def _set(parent: Path, child: Path, **values: Any) -> None:
    with edited_json(copy(parent, child)) as config:
        config.update(values)
        if "sliding_window" in values:
            config.pop("layer_types", None)
