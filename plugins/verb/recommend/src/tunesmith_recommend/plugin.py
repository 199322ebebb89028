"""What this plugin brings: the commands `probe`, `recommend` and `init`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_recommend import INIT, PROBE, RECOMMEND


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [
        ("recommend", RECOMMEND, "tunesmith_recommend.commands.recommend:main"),
        ("init", INIT, "tunesmith_recommend.commands.init:main"),
        ("probe", PROBE, "tunesmith_recommend.commands.probe:main"),
    ]
