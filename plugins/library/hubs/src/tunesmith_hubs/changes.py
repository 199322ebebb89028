"""What changed in a model whose revision moved, in words: its configuration, its tokenizer, its template, its weights."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tunesmith_hubs.listing import Listing

_MOST = 6  # changes of one file that are told; a line of a template in at most so many characters:
_WIDTH = 100
_READ = ("*config.json", "*.jinja")  # small files whose contents are compared
_WEIGHTS = ("*.safetensors", "*.gguf", "*.bin")


def changes(
    before: Listing, now: Listing, root: str, read_before: Callable[[str], Path | None], read_now: Callable[[str], Path]
) -> str:  # fmt: skip
    """The files below `root` that differ, those that a person can read with what differs in them.

    Args:
        read_before: where a file of the earlier revision lies; None if it is not on this machine.
        read_now: where one of the later revision lies; fetches it.
    """
    return "; ".join(_told(before, now, root, read_before, read_now)) or "none of the model's files differs."


def _told(
    before: Listing, now: Listing, root: str, read_before: Callable[[str], Path | None], read_now: Callable[[str], Path]
) -> Iterator[str]:  # fmt: skip
    weights = 0
    for name in sorted({*before.files, *now.files}):
        old, new = before.files.get(name), now.files.get(name)
        if not name.startswith(root) or (old and new and old.key == new.key):
            continue
        shown = name[len(root):]  # fmt: skip
        if any(fnmatchcase(shown, pattern) for pattern in _WEIGHTS):
            weights += 1
        elif old is None or new is None:
            yield f"{shown} {'is gone' if new is None else 'is new'}"
        else:
            readable = any(fnmatchcase(shown, pattern) for pattern in _READ)
            earlier = read_before(name) if readable else None
            yield f"{shown} differs" + (_difference(earlier, read_now(name)) if earlier else "")
    if weights:
        yield f"weights differ in {weights} file{'s' if weights > 1 else ''}"


def _difference(before: Path, now: Path) -> str:
    old, new = before.read_text("utf-8", "replace"), now.read_text("utf-8", "replace")
    try:
        found = [*_of_objects(json.loads(old), json.loads(new))]
    except ValueError:
        found = [*_of_lines(old, new)]
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return f" ({', '.join(found[:_MOST])}{more})" if found else ""


def _of_objects(old: Any, new: Any, path: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}, key=str):
            yield from _of_objects(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif old != new:
        if isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
            yield from (f"{path}: {line}" for line in _of_lines(old, new))
        else:
            yield f"{path}: {_short(json.dumps(old, ensure_ascii=False))} -> {_short(json.dumps(new, ensure_ascii=False))}"


def _of_lines(old: str, new: str) -> Iterator[str]:
    """Lines that are gone and new ones, as a patch writes them."""
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0):
        if not line.startswith(("---", "+++", "@@")):
            yield _short(line)


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
