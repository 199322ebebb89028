"""What this plugin brings: the tracker `tensorboard`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_tensorboard.settings import TensorBoardSettings


@hookimpl
def tracker() -> Provider:
    return Provider(
        "tensorboard",
        "event files of TensorBoard for what steps measure",
        "tunesmith_tensorboard.tracker:TensorBoard",
        settings=TensorBoardSettings,
    )
