"""What stands below `wandb` under `track` in a pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting

INIT = {"call": "wandb:init"}


@dataclass(frozen=True)
class WandbSettings:
    """Names as `wandb.init` has them."""

    project: str | None = setting(None, "the project; none: WANDB_PROJECT, else one named as the pipeline", effect=INIT)
    entity: str | None = setting(None, "the user or team that it belongs to; none: WANDB_ENTITY, else whoever is logged in", effect=INIT)
    name: str | None = setting(
        None, "what the names of its runs begin with, before the step's; none: the step's alone", effect=INIT, aliases=("run_name",)
    )  # fmt: skip
    group: str | None = setting(None, "what its runs are shown under together; none: the run's id", effect=INIT)
    tags: list[str] = setting([], "tags of its runs", effect=INIT)
    notes: str | None = setting(None, "what its page says of its runs", effect=INIT)
    mode: str | None = setting(
        None, "online sends, offline writes files, disabled does neither; none: WANDB_MODE, else offline for who is not logged in",
        choices=("online", "offline", "disabled"), effect=INIT,
    )  # fmt: skip
    dir: str = setting("", "folder of its files, from the pipeline's; empty: WANDB_DIR, else the run's own", effect=INIT)
