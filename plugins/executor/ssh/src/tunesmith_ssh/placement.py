"""Which ranks of a step go to which host, and what is noted of it in the folder of the try."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FILE = "placement.json"


@dataclass(frozen=True)
class Placement:
    """
    Args:
        commands: what is started for each rank.
        variables: what the interpreter is told where an environment is its own.
        hosts: the ranks of each host; empty while there is no room.
        stopped: whether it was to end.
    """

    commands: Sequence[Sequence[str]]
    variables: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    stopped: bool = False

    @classmethod
    def read(cls, folder: Path) -> Placement | None:
        try:
            return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, folder: Path, **changes: Any) -> Placement:
        """Keep it, with these changes."""
        new, part = replace(self, **changes), folder / f"{FILE}.part"
        part.write_text(json.dumps(asdict(new)), encoding="utf-8")
        os.replace(part, folder / FILE)
        return new


def spread(ranks: int, room: Mapping[str, int], last: Sequence[str] = ()) -> Mapping[str, Sequence[int]] | None:
    """The ranks of each host, in order; None where there is not enough room.

    Args:
        room: how many ranks each host takes, in the order in which they are filled.
        last: hosts that are taken only when no others are left.
    """
    found: dict[str, Sequence[int]] = {}
    begun = 0
    for host in sorted(room, key=lambda host: host in last):
        count = min(room[host], ranks - begun)
        if count > 0:
            found[host] = range(begun, begun + count)
            begun += count
    return {host: list(some) for host, some in found.items()} if begun == ranks else None
