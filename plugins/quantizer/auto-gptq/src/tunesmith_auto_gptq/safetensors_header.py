"""The header of a safetensors file: 8 bytes with its length, then JSON (https://github.com/huggingface/safetensors#format)."""

from __future__ import annotations

import json
from pathlib import Path


def drop_metadata(path: Path) -> None:
    """Leave ``format`` alone of the metadata, in place: with several entries their order is another in every process."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = {"format": "pt"}
        file.seek(8)
        file.write(json.dumps(header, separators=(",", ":")).encode().ljust(length))
