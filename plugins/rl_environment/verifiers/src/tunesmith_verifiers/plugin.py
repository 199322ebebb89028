"""What this plugin brings: the environment `verifiers`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_verifiers.settings import VerifiersSettings


@hookimpl
def rl_environment() -> Provider:
    return Provider(
        "verifiers", "an environment of the verifiers package, with its tasks, tools and rewards",
        "tunesmith_verifiers.environment:VerifiersEnvironment", VerifiersSettings,
    )  # fmt: skip
