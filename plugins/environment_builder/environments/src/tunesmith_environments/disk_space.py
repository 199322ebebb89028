"""FreeSpace on the disk for an environment."""

from __future__ import annotations

import shutil
from pathlib import Path

from tunesmith.errors import TunesmithError

UNPACKED = 3.5  # bytes on disk per byte of a download: the archive in the cache, and its content
EACH = 2**20  # bytes that a package takes at least, about


class FreeSpace:
    """The free space where an environment will be, seen when this was made."""

    def __init__(self, path: Path) -> None:
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        self._path, self._free = there, shutil.disk_usage(there).free

    def check(self, downloads: int) -> None:
        """
        Args:
            downloads: bytes that will be downloaded, as far as is known.

        Raises:
            TunesmithError: TS-ENV-002 when that, unpacked, will hardly fit.
        """
        need = int(downloads * UNPACKED)
        if need > self._free:
            raise no_space(self._path, f"{_mib(downloads)} of downloads take about {_mib(need)}; {_mib(self._free)} are free there")

    def check_packages(self, count: int) -> None:
        """The same before anything is known but how many packages it will be."""
        need = count * EACH
        if need > self._free:
            raise no_space(self._path, f"{count} packages take {_mib(need)} at least; {_mib(self._free)} are free there")


def no_space(path: Path | None, why: str) -> TunesmithError:
    where = f" at {path}" if path else ""
    return TunesmithError(
        "TS-ENV-002", f"There is no space for the environment{where}", why=why,
        fix="Free some (`tunesmith env gc`, `uv cache prune`), or set [environments] directory in tunesmith.toml to a larger disk.",
    )  # fmt: skip


def _mib(count: float) -> str:
    return f"{count / 2**20:.0f} MiB"
