"""The environment builder `venv`: virtual environments below one directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith_environments import NAME
from tunesmith_environments.manager import Environments
from tunesmith_environments.settings import VenvSettings

if TYPE_CHECKING:
    from tunesmith.config import EnvironmentSettings


class Venv:
    def __init__(self, settings: VenvSettings) -> None:
        self._installer = settings.installer

    def open(self, directory: Path, offline: bool, find_links: Sequence[Path]) -> Environments:
        return Environments(directory, installer=self._installer, offline=offline, find_links=find_links)


def configured(settings: EnvironmentSettings, installer: str | None = None) -> Environments:
    """The environments of this builder that the configuration names.

    Args:
        installer: counts more than the configuration's.
    """
    said = dict(settings.settings) if settings.builder in ("", NAME) else {}
    if installer:
        said["installer"] = installer
    return Venv(VenvSettings(**said)).open(settings.directory, settings.offline, settings.find_links)
