"""A measurement as JSON: all that the page, the table and a comparison are made of. It holds no prompts, no answers and no keys."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tunesmith.contracts import UserError
from tunesmith_bench.results.found_rate import RateSearch
from tunesmith_bench.results.point import Point

FORMAT = "tunesmith-bench/1"


@dataclass(frozen=True)
class Measurement:
    """
    Args:
        server: ``url`` and ``model``.
        settings: what was asked for, as a person would type it.
        counted_by: who counted tokens: ``tokenizer``, ``usage`` or ``nobody``.
        client: the machine that asked, and when.
    """

    server: Mapping[str, str]
    settings: Mapping[str, Any]
    counted_by: str
    points: Sequence[Point]
    search: RateSearch | None = None
    interrupted: bool = False
    client: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        data = {name: getattr(self, name) for name in ("server", "settings", "counted_by", "interrupted", "client")}
        search = asdict(self.search) if self.search else None
        return {"format": FORMAT, **data, "search": search, "points": [point.to_json() for point in self.points]}


def client_facts() -> dict[str, Any]:
    """What is to be known of the machine that asked."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": os.cpu_count(), "machine": platform.machine(),
        "system": platform.system(), "python": platform.python_version(),
    }  # fmt: skip


def read_measurement(path: Path) -> Measurement:
    """
    Raises:
        UserError: TS-BENCH-004 when the file is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']}, not {FORMAT}")
        return Measurement(
            data["server"], data["settings"], data["counted_by"], [Point.from_json(point) for point in data["points"]],
            RateSearch(**data["search"]) if data["search"] else None, data["interrupted"], data["client"],
        )  # fmt: skip
    except (OSError, ValueError, LookupError, TypeError) as error:
        fix = "Name a file that `tunesmith bench run ... --save FILE.json` has written."
        raise UserError("TS-BENCH-004", f"{path} is no measurement", why=f"{type(error).__name__}: {error}", fix=fix) from error
