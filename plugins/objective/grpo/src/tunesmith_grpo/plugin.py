"""What this plugin brings: the objective `grpo`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_completions import METRICS
from tunesmith_grpo.asks import asks
from tunesmith_grpo.settings import GroupSettings

_HELD = asks(GroupSettings(beta=0.1))  # with `beta` it compares the model with what it was


@hookimpl
def objective() -> Provider:
    return Provider(
        name="grpo",
        summary="group relative policy optimisation: learn from rewards of what the model itself writes",
        target="tunesmith_grpo.objective:GroupRelative",
        settings=GroupSettings,
        accepts=("dataset/prompt",),
        needs=_HELD.needs,
        facts={**_HELD.facts, "metrics": METRICS},
        estimator="tunesmith_grpo.asks:parts",
    )
