"""Check of a safetensors file's header, so that a truncated download is found before a step has started.

The format: 8 bytes with the header's length (little endian), a JSON header that gives each tensor's byte range, then the bytes.
Source: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.errors import UserError

_LARGEST_HEADER = 100_000_000  # the limit of the reference implementation


def check(path: Path) -> None:
    """Refuse a file that is not safetensors or not whole.

    Raises:
        UserError: TS-MODEL-008.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start + file.read(32) == b"version https://git-lfs.github.com/spec/"[:40]:
            raise _damaged(path, "it is a Git LFS pointer, not the file itself", "Run `git lfs pull` where the model was cloned.")
        file.seek(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(size - 8, _LARGEST_HEADER):
            raise _damaged(path, f"its header says {length} bytes, the file has {size}")
        try:
            header = json.loads(file.read(length))
            end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
            raise _damaged(path, "its header can't be read") from error
    if not isinstance(end, int) or 8 + length + end != size:
        raise _damaged(path, f"it should have {8 + length + end if isinstance(end, int) else '?'} bytes, it has {size}")


def _damaged(path: Path, why: str, fix: str = "Fetch the file again.") -> UserError:
    return UserError("TS-MODEL-008", f"{path} is not a whole safetensors file.", why=why[0].upper() + why[1:] + ".", fix=fix)
