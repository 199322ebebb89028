"""What a launcher notes of its job, so that the next one, after a death of the host, finds it again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FILE = "launch.json"


@dataclass(frozen=True)
class LaunchRecord:
    """
    Args:
        attempt: number of the try, from 1; 0: none was made.
        id: the cluster's, of that try; empty: it was not submitted, as far as is known.
        token: of that try.
        result: what rank 0 returned, once it has.
        made: the files of that result, by which a result is told whose files have been taken already.
        lost: how many tries were lost.
    """

    attempt: int = 0
    id: str = ""
    token: str = ""
    result: Mapping[str, Any] | None = None
    made: tuple[str, ...] = field(default=())
    lost: int = 0

    @classmethod
    def read(cls, directory: Path) -> LaunchRecord:
        try:
            data = json.loads((directory / FILE).read_text(encoding="utf-8"))
            return cls(**{**data, "made": tuple(data["made"])})
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return cls()

    def write(self, directory: Path, **changes: Any) -> LaunchRecord:
        """Keep it, with these changes."""
        new, place = replace(self, **changes), directory / FILE
        part = place.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(new), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
        return new
