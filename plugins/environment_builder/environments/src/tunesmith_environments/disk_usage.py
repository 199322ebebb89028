"""What an environment takes on the disk."""

from __future__ import annotations

import os
from pathlib import Path


def measure(path: Path) -> tuple[int, int]:
    """Bytes of all files below `path`, and how many of them other directories hold too.

    A file with several names (hard links, as uv makes them from its cache) is counted once in the first number, and in the second
    if some of its names lie elsewhere: deleting `path` does not free it.
    """
    size = shared = 0
    names: dict[tuple[int, int], list[int]] = {}  # file -> [names seen here, names in all, bytes]
    for folder, _, files in os.walk(path):
        for file in files:
            stat = os.lstat(os.path.join(folder, file))
            used = stat.st_blocks * 512
            if stat.st_nlink == 1:
                size += used
            else:
                names.setdefault((stat.st_dev, stat.st_ino), [0, stat.st_nlink, used])[0] += 1
    for here, everywhere, used in names.values():
        size += used
        shared += used if everywhere > here else 0
    return size, shared
