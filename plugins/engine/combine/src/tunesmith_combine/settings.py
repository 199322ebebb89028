"""Settings of the verb `combine`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

METHODS = ("linear", "ties", "dare", "dare-ties", "della", "slerp", "model-stock", "passthrough")


@dataclass(frozen=True)
class CombineSettings:
    merge_method: str = setting(
        "linear", "how what the models have learnt (their difference from the base) becomes one. linear: added up. ties: only what is "
        "large, and where signs contradict, the majority. dare: only a random part, made larger. dare-ties: both. della: as that, but what "
        "is large is kept more often. slerp: two models on the arc between them. "
        "model-stock: as near to the base as the models contradict each other. passthrough: layers of the models, one upon the other",
        choices=METHODS, aliases=("method", "combination_type"),
    )  # fmt: skip
    weights: list[float] = setting([], "how much each of the models counts, in their order; none: all alike, together 1")
    density: float = setting(
        0.5, "share of each difference that ties, dare and della keep", gt=0, le=1, effect={"with": {"merge_method": "ties"}}
    )
    epsilon: float = setting(
        0.1, "how much more often than `density` della keeps the largest of a row, and less often the smallest", ge=0, lt=0.5,
        effect={"with": {"merge_method": "della"}},
    )  # fmt: skip
    slices: list[str] = setting(
        [], "of passthrough: layers from below, as MODEL[FIRST:END]; model 0 is the base, 1 the first of those that are combined with it",
        aliases=("layers",), effect={"with": {"merge_method": "passthrough", "slices": ["0[0:2]"]}}, examples=(["1[0:2]"],),
    )  # fmt: skip
