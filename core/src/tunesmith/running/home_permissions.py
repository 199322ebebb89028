"""The home holds copies of the user's data and models: it is the user's alone, or is shared with a group that the configuration names."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from tunesmith.errors import UserError

_OURS = ("journal.sqlite", "store", "staging", "resolved", "runs", "commands")  # what a home that is in use has
PRIVATE, SHARED = 0o700, 0o2770


def make_home(home: Path, group: str = "") -> None:
    """Make the home, or see to it that nobody else may look into the one that there is.

    Args:
        group: that it is shared with (``[home] group``). What this process writes from now on, the group may write, too.

    Raises:
        UserError: TS-STORE-010 when a folder that holds other things is open to others, or the group can't be given it.
    """
    home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if not hasattr(os, "getuid"):
        return  # the system has no such modes
    if group:
        os.umask(0o007)
    found = home.stat()
    if found.st_uid != os.getuid():
        return  # its owner's matter
    wanted, mode = (SHARED if group else PRIVATE), stat.S_IMODE(found.st_mode)
    if group:
        _give(home, group)
    elif mode & 0o077 and any(home.iterdir()) and not any((home / name).exists() for name in _OURS):
        raise UserError(
            "TS-STORE-010", f"{home} is to be the home, holds other things, and is open to others (mode {mode:o})",
            why="Your data and models would be copied into it.", fix=f"Name a folder of its own with --home, or: chmod 700 {home}",
        )  # fmt: skip
    if mode != wanted:
        home.chmod(wanted)


def _give(home: Path, group: str) -> None:
    try:
        shutil.chown(home, group=group)
    except (LookupError, PermissionError) as error:
        raise UserError(
            "TS-STORE-010", f"{home} can't be shared with the group `{group}`: {error}",
            why="The configuration says so: [home] group.", fix="Name a group that you are in, or take the line out.",
        ) from None  # fmt: skip
