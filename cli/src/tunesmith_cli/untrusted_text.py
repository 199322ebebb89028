"""Text that others wrote, as a terminal may be given it: rows, tokens, paths, what a model answers."""

from __future__ import annotations

import json
import re
from typing import Any

# Controls (Cc) but tab and newline, the bidirectional ones (UAX #9), and half a surrogate pair, which UTF-8 can't hold.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def safe_json(value: Any, indent: int | None = None) -> str:
    """JSON that reads as the value and is safe as it stands: what `safe` writes out can only be within its strings."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, indent=indent, ensure_ascii=False))


def safe(text: str) -> str:
    r"""The text with what a terminal would obey, or show in another order, written out: ``\x1b``, ``\u202e``."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
