"""Settings of the adapter `adalora`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class AdaloraSettings:
    r: int = setting(8, "rank that the layers have on average in the end", ge=1)
    start_r: int = setting(12, "rank that every layer begins with; above `r`", ge=2)
    alpha: float = setting(32.0, "the update is scaled by alpha / start_r", gt=0)
    warmup: float = setting(0.1, "share of the steps before the first rank is taken away", ge=0, lt=1)
    settle: float = setting(0.2, "share of the steps at the end in which the ranks stay as they are", ge=0, lt=1)
    every: int = setting(1, "steps between two allocations of ranks", ge=1)
    orthogonality: float = setting(0.5, "weight of the penalty that keeps a layer's directions apart from one another", ge=0)
    sensitivity_memory: float = setting(0.85, "how slowly the measure of a direction's importance forgets earlier steps", gt=0, lt=1)
    uncertainty_memory: float = setting(0.85, "how slowly the measure of its uncertainty does", gt=0, lt=1)
    dropout: float = setting(0.0, "share of the update's inputs dropped while training", ge=0, lt=1)
    targets: list[str] = setting(
        ["all-linear"], "names of the linear layers to adapt (`q_proj`, `layers.0.mlp.up_proj`); `all-linear`: all but the output head",
        examples=(["q_proj", "v_proj"],),
    )  # fmt: skip
