"""Artifacts that are kept whatever happens to the runs that made them: a file each, ``pins/<digest>``, that says why."""

from __future__ import annotations

from pathlib import Path

FOLDER = "pins"


def pins(home: Path) -> dict[str, str]:
    """Digest -> why it is pinned."""
    folder = home / FOLDER
    return {f"sha256:{file.name}": file.read_text(encoding="utf-8") for file in sorted(folder.glob("*"))} if folder.is_dir() else {}


def pin(home: Path, digest: str, why: str) -> None:
    (home / FOLDER).mkdir(parents=True, exist_ok=True)
    _file(home, digest).write_text(why, encoding="utf-8")


def unpin(home: Path, digest: str) -> bool:
    """Whether it was pinned."""
    there = _file(home, digest).is_file()
    _file(home, digest).unlink(missing_ok=True)
    return there


def _file(home: Path, digest: str) -> Path:
    return home / FOLDER / digest.removeprefix("sha256:")
