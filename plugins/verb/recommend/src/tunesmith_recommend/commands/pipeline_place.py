"""Where a pipeline's file is written, and how files are named from there."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith.errors import UserError


def check_place(file: Path, *, force: bool = False) -> None:
    """Look at the place before the work is done.

    Args:
        force: a file that is there may be written over.

    Raises:
        UserError: TS-RECOMMEND-004 where no file can be written, or one is there.
    """
    if not file.parent.is_dir():
        raise UserError("TS-RECOMMEND-004", f"there is no folder {file.parent}", fix="Make it, or name another file with --file.")
    if file.is_dir():
        raise UserError("TS-RECOMMEND-004", f"{file} is a folder", fix=f"Name a file in it: --file {file / 'tunesmith.yaml'}")
    if file.exists() and not force:
        raise UserError("TS-RECOMMEND-004", f"{file} is there already", fix="Name another one with --file, or write over it: --force.")


def named_from(folder: Path, file: Path) -> Path:
    """A file that is named from the current folder, as a pipeline in `folder` names it."""
    if file.is_absolute() or os.path.realpath(folder) == os.getcwd():
        return file
    return Path(os.path.relpath(file, folder))
