"""What this plugin brings: the optimizer `schedule-free`."""

from __future__ import annotations

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_schedule_free.settings import ScheduleFreeSettings


@hookimpl
def optimizer() -> Provider:
    return Provider(
        name="schedule-free",
        summary="AdamW that averages its steps, so that the rate need not fall and the end need not be known",
        target="tunesmith_schedule_free.optimizer:ScheduleFree",
        settings=ScheduleFreeSettings,
        needs=(Need("strategy", "weights.swapped", "it uses the mean of its weights where it trains others"),),
        estimator="tunesmith_schedule_free.estimate:parts",
    )
