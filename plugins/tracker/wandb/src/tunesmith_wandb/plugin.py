"""What this plugin brings: the tracker `wandb`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_wandb.settings import WandbSettings


@hookimpl
def tracker() -> Provider:
    return Provider("wandb", "runs of Weights & Biases for what steps measure", "tunesmith_wandb.tracker:Wandb", settings=WandbSettings)
