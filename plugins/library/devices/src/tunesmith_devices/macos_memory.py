"""The memory of a Mac, which its processor and its GPU share."""

from __future__ import annotations

import re
from collections.abc import Callable

#: pages that a process can get: unused ones, and those that the system gives up for it
_TO_BE_HAD = ("free", "inactive", "speculative", "purgeable")


def memory(run: Callable[..., str]) -> tuple[int, int]:
    """Bytes in all, and bytes that a process can get now.

    Args:
        run: what runs a command and gives its output.
    """
    text = run("sysctl", "-n", "hw.memsize").strip()
    total = int(text) if text.isdigit() else 0
    told = run("vm_stat")
    pages = {name: int(count) for name, count in re.findall(r"^Pages ([\w ]+):\s+(\d+)\.", told, re.M)}
    size = re.search(r"page size of (\d+) bytes", told)
    free = sum(pages.get(name, 0) for name in _TO_BE_HAD) * (int(size[1]) if size else 4096)
    return total, min(free, total)
