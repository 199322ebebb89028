"""One entry in a process of its own: `python entry.py JSON FOLDER ROWS`, with what the runner says of it."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from told import Skip, Telling


def main(told_to: dict[str, Any], folder: Path, rows: Path) -> None:
    warnings.filterwarnings("ignore", message=".*deterministic.*")
    tell = Telling(rows)
    try:
        from device import Device

        importlib.import_module(told_to["module"]).run(Device(told_to["device"]), folder, tell, **told_to["given"])
    except Skip as reason:
        tell.skipped(told_to["summary"], str(reason))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
