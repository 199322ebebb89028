"""Files that commands write for people: a reader sees the old one or the new one, never half, whenever the writer is killed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Replace a file's content in one go; what is a link stays one.

    Raises:
        OSError: when it can't be written; then it is as it was.
    """
    place = Path(os.path.realpath(path))
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        draft.write_text(text, encoding="utf-8")
        if place.exists():
            draft.chmod(place.stat().st_mode & 0o777)
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)
