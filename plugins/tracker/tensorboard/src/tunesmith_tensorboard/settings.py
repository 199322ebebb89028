"""What stands below `tensorboard` under `track` in a pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class TensorBoardSettings:
    """Names as `SummaryWriter` has them."""

    log_dir: str = setting(
        "",
        "folder of all runs, from the pipeline's: <log_dir>/<run>/<step>; empty: <run>/tensorboard/<step>",
        examples=("runs",),
        aliases=("logdir",),
    )
    filename_suffix: str = setting("", "what the names of event files end with", examples=(".tunesmith",))
