"""What the SDK brings as a plugin: an author's commands."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [
        ("plugin new", "make a plugin: a source folder that works, to change from there", "tunesmith_sdk.commands:run_new"),
        ("plugin update", "merge what the template has got since into a plugin made from it", "tunesmith_sdk.commands:run_update"),
        ("plugin sync", "write plugin.toml from a plugin's code", "tunesmith_sdk.commands:run_sync"),
        ("plugin check", "does a plugin keep what its kind promises?", "tunesmith_sdk.commands:run_check"),
    ]
