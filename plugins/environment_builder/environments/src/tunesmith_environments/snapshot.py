"""Whether an environment is as it was built. Quick: its directories' times, which change when a file comes or goes. Full: every file."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith_environments.environment import BYTECODE

FILE = "snapshot.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Missing(NamedTuple):
    """A file that is not as its package's RECORD says."""

    path: str
    what: str


def take(path: Path, site: Path) -> None:
    """Record how the environment is now. What is not as its RECORD says now came so from its publisher, and is no damage later."""
    odd = [missing.path for missing in missing_files(site)]
    content = {"boot": _boot(), "odd": odd, "directories": _directories(path)}
    temporary = path / f".{FILE}.{os.getpid()}"
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path / FILE)


def unchanged(path: Path) -> bool:
    """The quick check. False after the machine was started anew, too: a power cut may have taken what was not on the disk yet."""
    try:
        snapshot = json.loads((path / FILE).read_text(encoding="utf-8"))
        if snapshot["boot"] != _boot() or not (path / "pyvenv.cfg").is_file():
            return False
        os.stat(path / "bin" / "python")  # a link to a Python that may be gone
        base, stat = f"{path}{os.sep}", os.stat
        return all(stat(base + name).st_mtime_ns == time for name, time in snapshot["directories"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def damage(path: Path, site: Path, packages: dict[str, str]) -> list[str]:
    """The full check: what is wrong, a sentence each; empty if nothing is.

    Args:
        packages: name -> version of what must be in it.
    """
    found = [f"{name} is gone" for name in ("pyvenv.cfg", "bin/python") if not (path / name).exists()]
    there = installed(site)
    for name, version in packages.items():
        if name not in there:
            found.append(f"{name} is gone")
        elif there[name] != version:
            found.append(f"{name} is {there[name]}, not {version}")
    odd: set[str] = set()
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        odd = set(json.loads((path / FILE).read_text(encoding="utf-8"))["odd"])
    return found + [f"{missing.path} {missing.what}" for missing in missing_files(site) if missing.path not in odd]


def installed(site: Path) -> dict[str, str]:
    """Name -> version of the distributions in a directory of packages, by the names of their metadata directories."""
    from tunesmith.policy import normal

    found = {}
    with contextlib.suppress(OSError):
        for name in os.listdir(site):
            if name.endswith(".dist-info"):
                distribution, _, version = name[: -len(".dist-info")].partition("-")
                found[normal(distribution)] = version
    return found


def missing_files(site: Path) -> Iterator[Missing]:
    """Files that are not there, or not as large as their package's RECORD says. What Python compiled is not looked at."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        with contextlib.suppress(OSError, csv.Error, UnicodeDecodeError), open(record, encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                if len(row) < 3 or row[0].endswith(".pyc"):
                    continue
                try:
                    size = os.stat(os.path.join(site, row[0])).st_size
                except OSError:
                    yield Missing(row[0], "is gone")
                    continue
                if row[2].isdigit() and int(row[2]) != size:
                    yield Missing(row[0], f"has {size} bytes, not {row[2]}")


def _directories(path: Path) -> dict[str, int]:
    """Relative path -> time of last change, of each directory below `path` but where bytecode goes."""
    found: dict[str, int] = {}
    waiting = [entry for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False) and entry.name != BYTECODE]
    while waiting:
        directory = waiting.pop()
        found[os.path.relpath(directory.path, path)] = os.stat(directory.path).st_mtime_ns
        waiting += [entry for entry in os.scandir(directory.path) if entry.is_dir(follow_symlinks=False)]
    return found


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
