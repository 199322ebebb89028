"""Which program resolves and installs: uv, or pip where uv can't be had."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith.errors import UserError
from tunesmith_environments.interpreters import Interpreter
from tunesmith_environments.lock import Lock

CHOICES = ("auto", "uv", "pip")


class Installer(Protocol):
    """What an installer does for an environment. Each method raises a coded error for what went wrong (see errors.py)."""

    name: str

    def resolve(self, recipe: Recipe, interpreter: Interpreter, watch: Watch) -> Lock:
        """The packages that meet the recipe."""

    def create(self, path: Path, interpreter: Interpreter, watch: Watch) -> None:
        """An empty virtual environment."""

    def install(self, path: Path, lock: Lock, recipe: Recipe, watch: Watch) -> None:
        """The lock's packages, with their hashes checked, into the virtual environment at `path`."""


def choose(name: str, scratch: Path, offline: bool, find_links: Sequence[str]) -> Installer:
    """
    Args:
        name: ``uv``, ``pip``, or ``auto`` for uv if it can be had.
        scratch: where files may be left for the installer to read.

    Raises:
        UserError: TS-ENV-010 when the one that is asked for is not there.
    """
    from tunesmith_environments.installers.pip import Pip
    from tunesmith_environments.installers.uv import Uv

    uv = find_uv() if name in ("auto", "uv") else None
    if uv:
        return Uv(uv, scratch, offline, find_links)
    if name == "uv":
        raise UserError(
            "TS-ENV-010", "uv is not here, and the configuration asks for it", why="looked beside Python, on PATH and as a module",
            fix="pip install uv, or write builder = {venv = {installer = \"auto\"}} below [environments].",
        )  # fmt: skip
    return Pip(scratch, offline, find_links)


def find_uv() -> list[str] | None:
    """The command that starts uv: beside this Python, on PATH, or as a module."""
    beside = Path(sys.executable).parent / "uv"
    if os.access(beside, os.X_OK):
        return [str(beside)]
    if found := shutil.which("uv"):
        return [found]
    return [sys.executable, "-m", "uv"] if importlib.util.find_spec("uv") else None
