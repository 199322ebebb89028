"""Datasets as steps are given them, of rows that a test writes down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts import Artifact
from tunesmith_data.api import ROWS_FILE, Row


def dataset(directory: Path, rows: Iterable[Row], format: str = "dataset/chat") -> Artifact:
    """The rows in a directory, which is made."""
    directory.mkdir(parents=True)
    with open(directory / ROWS_FILE, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return Artifact(format, directory)
