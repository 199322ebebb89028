"""What control groups allow: containers and batch systems limit memory and processors with them, and /proc does not show it.

Version 2 has one tree (`memory.max`, `cpu.max`), version 1 one a controller. A limit may lie on any group above the process's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

UNLIMITED = 1 << 60  # version 1 writes a number near 2**63 for "no limit"


def memory(root: Path) -> list[tuple[int, int]]:
    """(limit, bytes in use that can't be reclaimed) of every limited group that the process is in."""
    found = []
    for group in _groups(root, "memory"):
        limit = _number(group / "memory.max") or _number(group / "memory.limit_in_bytes")
        if limit is None or limit >= UNLIMITED:
            continue
        used = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
        stat = _pairs(group / "memory.stat")
        cache = stat.get("total_inactive_file", stat.get("inactive_file", 0))
        found.append((limit, max(0, used - cache)))
    return found


def processors(root: Path) -> float | None:
    """Processors that the tightest quota allows (2.5 is two and a half); None without one."""
    found = []
    for group in _groups(root, "cpu"):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        quota, period = quota or _text(group / "cpu.cfs_quota_us"), period or _text(group / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Directories of the process's groups for a controller, the innermost first.

    In a container the process's path may be the host's and not exist here; then its groups are those that do exist, up to the top.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        for top in (
            (f"sys/fs/cgroup/{controllers}", f"sys/fs/cgroup/{controller}") if controllers else ("sys/fs/cgroup", "sys/fs/cgroup/unified")
        ):
            base = root / top
            group = base / path.lstrip("/")
            while group != base:
                yield group
                group = group.parent
            yield base


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None


def _pairs(path: Path) -> dict[str, int]:
    words = (line.split() for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}
