"""One entry in a process of its own: `python entry.py NAME DEVICE FOLDER ROWS`."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path

from entries import ENTRIES
from told import Skip, Telling


def main(name: str, device: str, folder: Path, rows: Path) -> None:
    warnings.filterwarnings("ignore", message=".*deterministic.*")
    entry = next(entry for entry in ENTRIES if entry.name == name)
    tell = Telling(rows)
    try:
        from device import Device

        importlib.import_module(entry.module).run(Device(device), folder, tell, **entry.given)
    except Skip as reason:
        tell.skipped(entry.summary, str(reason))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
