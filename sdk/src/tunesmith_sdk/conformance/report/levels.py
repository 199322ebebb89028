"""The rules of the badge.

A plugin has a level when every check of that level and of those below it passed, for each of its providers. A check that was not run did
not pass, and neither did one that is expected to fail: a reason makes a fault known, not absent.

- **bronze**: it is what its manifest says, installs light, loads, refuses bad settings by name, stops when asked, and a crash of it is
  contained.
- **silver**: and it does what its kind is for, on a tiny real model or real rows.
- **gold**: and it agrees with an oracle, survives a kill, and works in an isolated environment.
"""

from __future__ import annotations

from collections.abc import Iterable

LEVELS = ("bronze", "silver", "gold")


def reached(outcomes: Iterable[tuple[str, str]]) -> str:
    """The highest level for (level, state) of all checks; empty if not even the lowest is."""
    outcomes = list(outcomes)
    level = ""
    for name in LEVELS:
        if any(state != "passed" for asked, state in outcomes if asked == name):
            break
        level = name
    return level if outcomes else ""
