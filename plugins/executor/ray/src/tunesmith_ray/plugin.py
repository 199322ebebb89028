"""What this plugin brings: the executor `ray`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ray.settings import RaySettings


@hookimpl
def executor() -> Provider:
    return Provider("ray", "steps in placement groups of a Ray cluster", "tunesmith_ray.executor:Ray", settings=RaySettings)
