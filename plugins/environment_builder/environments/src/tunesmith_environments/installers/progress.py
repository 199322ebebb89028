"""What installers print, as progress: stages, packages n of m, downloads with their sizes."""

from __future__ import annotations

import re
from collections.abc import Callable

from tunesmith.contracts.kinds.environment_builder import Watch

_SIZE = r"\(([\d.]+)\s?(B|bytes|kB|KiB|MB|MiB|GB|GiB)\)"
_UNITS = {"B": 1, "bytes": 1, "kB": 1e3, "KiB": 2**10, "MB": 1e6, "MiB": 2**20, "GB": 1e9, "GiB": 2**30}
_DOWNLOAD = re.compile(rf"\s*Downloading (\S+) {_SIZE}$")
_DOWNLOADED = re.compile(r"\s*Downloaded (\S+)$")
_PIP_TAKEN = re.compile(r"\s*(?:Collecting|Processing|Obtaining) (\S+)")
_BUILD = re.compile(r"\s*(?:Building wheels? for|Building) (\S+)")
_PREPARED = re.compile(r"Prepared (\d+) packages?")
_INSTALLED = re.compile(r"Installed (\d+) packages?|Successfully installed ")
_INSTALLING = re.compile(r"Installing collected packages")


class Progress:
    """Hears an installer's lines and tells them as progress.

    Args:
        packages: how many will be installed.
        announced: called with the bytes of all downloads that are known so far; may raise when they are too many.
    """

    def __init__(self, watch: Watch, packages: int, announced: Callable[[int], None] = lambda size: None) -> None:
        self._watch, self._packages, self._announced = watch, packages, announced
        self._sizes: dict[str, int] = {}
        self._finished: set[str] = set()
        self._taken = 0
        self._one_by_one = False  # pip: a download's line comes when it begins, and the next one's when it is done

    def start(self) -> None:
        self._watch.progress("packages", 0, self._packages, "packages")

    def hear(self, line: str) -> None:
        """Take one line of uv's or pip's output; lines that say nothing about progress are passed over."""
        download = _DOWNLOAD.match(line)
        if download:
            self._downloading(download[1], int(float(download[2]) * _UNITS[download[3]]))
        elif done := _DOWNLOADED.match(line):
            self._finished.add(done[1])
            self._tell_downloads()
        elif _PIP_TAKEN.match(line):
            self._one_by_one = True
            self._finished |= set(self._sizes)
            self._taken = min(self._taken + 1, self._packages)
            self._watch.progress("packages", self._taken - 1, self._packages, "packages")
        elif building := _BUILD.match(line):
            self._watch.log(f"building {building[1]} from source")
        elif prepared := _PREPARED.match(line):
            self._watch.progress("packages fetched", int(prepared[1]), int(prepared[1]), "packages")
        elif _INSTALLING.match(line):
            self._finished |= set(self._sizes)
            self._tell_downloads()
            self._watch.progress("packages", self._packages, self._packages, "packages")
        elif _INSTALLED.match(line):
            self._watch.progress("packages", self._packages, self._packages, "packages")

    def _downloading(self, name: str, size: int) -> None:
        if self._one_by_one:
            self._finished |= set(self._sizes)
        self._sizes[name] = size
        self._announced(sum(self._sizes.values()))
        self._tell_downloads()

    def _tell_downloads(self) -> None:
        if self._sizes:
            done = sum(size for name, size in self._sizes.items() if name in self._finished)
            self._watch.progress("download", done, sum(self._sizes.values()), "B")
