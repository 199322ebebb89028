"""What an agent still had to tell when its work was done and no host was there: a file, so that its machines are free.

A host that comes back reads it as if it had been told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith_jobs.outbox import Event


@dataclass(frozen=True)
class LastWords:
    """
    Args:
        incarnation, machine: of the agent.
        events: that the host had not confirmed, in order.
    """

    incarnation: str
    machine: str
    events: Sequence[Event]

    def leave(self, directory: Path, attempt: int, rank: int) -> None:
        place = _place(directory, attempt, rank)
        part = place.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump({"incarnation": self.incarnation, "machine": self.machine, "events": list(self.events)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)

    @classmethod
    def of(cls, directory: Path, attempt: int, rank: int) -> LastWords | None:
        """None where there are none."""
        try:
            data = json.loads(_place(directory, attempt, rank).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(data["incarnation"], data["machine"], [(int(number), str(method), params) for number, method, params in data["events"]])


def _place(directory: Path, attempt: int, rank: int) -> Path:
    return directory / f"attempt-{attempt}" / f"rank-{rank}.json"
