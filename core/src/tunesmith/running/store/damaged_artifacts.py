"""Artifacts that were found damaged: taken out of the store, kept in ``damaged/`` beside it, and told of."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tunesmith.errors import TunesmithError

FOLDER = "damaged"
GONE = "it is not in the store"


def set_aside(artifact: Path, folder: Path) -> Path:
    """Move an artifact's directory into `folder`, at once for everyone who looks; where it is kept."""
    name = artifact.name
    kept = next(place for number in range(10**6) if not (place := folder / (f"{name}-{number}" if number else name)).exists())
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # somebody else did it
        os.rename(artifact, kept)
    return kept


def damaged(digest: str, problem: str) -> TunesmithError:
    return TunesmithError(
        "TS-STORE-002", f"The artifact {digest[:19]} is {'gone' if problem.startswith(GONE) else 'damaged'}: {problem}",
        fix="Run the pipeline again: what is not whole is made anew. If it returns, see what deletes or changes files of the home.",
    )  # fmt: skip
