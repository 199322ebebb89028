"""Settings of the adapter `bottleneck`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class BottleneckSettings:
    placement: str = setting(
        "pfeiffer", "where the small networks stand. pfeiffer: after each layer's feed-forward block, half as many for nearly the same "
        "quality; houlsby: after its attention, too", choices=("pfeiffer", "houlsby"),
    )  # fmt: skip
    reduction_factor: int = setting(16, "how much narrower than the model they are inside: more is smaller and learns less", ge=1)
    non_linearity: str = setting("relu", "their non-linearity", choices=("relu", "gelu", "silu"), aliases=("activation",))
    scaling: float = setting(1.0, "what they add is multiplied with this", gt=0)
    dropout: float = setting(0.0, "share of their inner activations dropped while training", ge=0, lt=1)
