"""Settings of the objective `dpo`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class PreferenceSettings:
    beta: float = setting(
        0.1, "how strongly the model is held to what it was before: less lets it move further", gt=0, aliases=("pref_beta",)
    )
    label_smoothing: float = setting(0.0, "share of pairs assumed to be labelled the wrong way round", ge=0, lt=0.5)
