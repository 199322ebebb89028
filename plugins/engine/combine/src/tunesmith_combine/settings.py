"""Settings of the verb `combine`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

METHODS = ("linear", "ties", "dare", "dare-ties")


@dataclass(frozen=True)
class CombineSettings:
    merge_method: str = setting(
        "linear", "how what the models have learnt (their difference from the base) becomes one. linear: added up. ties: only what is "
        "large, and where signs contradict, the majority. dare: only a random part, made larger. dare-ties: both",
        choices=METHODS, aliases=("method", "combination_type"),
    )  # fmt: skip
    weights: list[float] = setting([], "how much each of the models counts, in their order; none: all alike, together 1")
    density: float = setting(0.5, "share of each difference that ties and dare keep", gt=0, le=1, effect={"with": {"merge_method": "ties"}})
