"""What `tunesmith data inspect` says of personal data in the rows of a file."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from tunesmith_data.audit.finding import Finding
from tunesmith_data.pii.finder import KINDS, masked
from tunesmith_data.rows_file import read_file

LOOKED_AT = 100_000  # lines of a file, from the first on


def findings(path: Path, columns: Mapping[str, str]) -> tuple[Finding, ...]:
    """One for each kind that there is, with the lines."""
    lines: dict[str, list[int]] = {kind: [] for kind in KINDS}
    count = 0
    for line in islice(read_file(path, columns), LOOKED_AT):
        if line.row:
            count += 1
            for kind in dict.fromkeys(masked(line.row)[1]):
                lines[kind].append(line.number)
    return tuple(Finding.of_lines(f"pii-{kind}", KINDS[kind], found, count) for kind, found in lines.items() if found)
