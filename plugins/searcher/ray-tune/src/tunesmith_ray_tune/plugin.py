"""What this plugin brings: the searcher `ray-tune`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ray_tune.settings import RayTuneSettings


@hookimpl
def searcher() -> Provider:
    return Provider(
        "ray-tune",
        "a search algorithm of Ray Tune (HyperOpt, Optuna, BayesOpt) with one of its schedulers (ASHA, median stopping)",
        "tunesmith_ray_tune.searcher:RayTune",
        settings=RayTuneSettings,
        priority=-10,  # asked when it is named
    )
