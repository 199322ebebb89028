"""What this plugin brings: the environment `openenv`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_openenv.settings import OpenEnvSettings


@hookimpl
def rl_environment() -> Provider:
    return Provider(
        "openenv", "an environment on an OpenEnv server, with its tools and rewards",
        "tunesmith_openenv.environment:OpenEnvironment", OpenEnvSettings,
    )  # fmt: skip
