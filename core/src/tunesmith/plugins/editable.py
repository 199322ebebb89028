"""Plugins that are installed from their source folder, as their authors do."""

from __future__ import annotations

from pathlib import Path


def folder_of(path: Path) -> Path | None:
    """The source folder that a file of a plugin lies in, as `pip install -e` uses it; None if it lies in none."""
    return next((folder for folder in path.parents if (folder / "pyproject.toml").is_file()), None)
