"""What this plugin brings: the command `wizard`, which `tunesmith` alone begins, too."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.hookspecs import hookimpl
from tunesmith_wizard import WIZARD


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    target = "tunesmith_wizard.command:main"
    return [("wizard", WIZARD, target), ("tunesmith", WIZARD, target)]
