"""The GGUF file of a model's directory."""

from __future__ import annotations

import re
from pathlib import Path

from tunesmith.contracts import TunesmithError

_PART = re.compile(r"-(\d{5})-of-\d{5}\.gguf$")


def gguf_file(directory: Path) -> Path:
    """The file to load: the one there is, or the first of a model's parts, which finds the others.

    Raises:
        TunesmithError: TS-SERVE-002 when there is none, or several models.
    """
    files = sorted(path for path in directory.glob("*.gguf") if not path.name.startswith("mmproj"))
    first = [path for path in files if not (part := _PART.search(path.name)) or int(part[1]) == 1]
    if len(first) != 1:
        raise TunesmithError(
            "TS-SERVE-002", f"The model in {directory} can't be loaded by llama.cpp.",
            why=f"It has {len(first)} GGUF models" + (": " + ", ".join(path.name for path in first) if first else "."),
            fix="Name the one file that is meant in the model's URI, or export the model again.",
        )  # fmt: skip
    return first[0]
