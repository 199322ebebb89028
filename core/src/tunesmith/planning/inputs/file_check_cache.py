"""A small mapping in a JSON file: what was found in data files, so that an unchanged file is not read again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.cache_files import read_note, write_note

KEPT = 1000


class FileCheckCache(MutableMapping[str, Any]):
    """Loses nothing that matters: a file that can't be read or written is as good as an empty one. The oldest entries go first.

    Args:
        refresh: begin anew, whatever the file holds.
    """

    def __init__(self, path: Path, *, refresh: bool = False) -> None:
        self.path = path
        self._entries: dict[str, Any] | None = {} if refresh else None

    def _all(self) -> dict[str, Any]:
        if self._entries is None:
            found = read_note(self.path)
            self._entries = found if isinstance(found, dict) else {}
        return self._entries

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._all().pop(key, None)
        self._all()[key] = value
        for old in list(self._all())[:-KEPT]:
            del self._all()[old]
        self._write()

    def __delitem__(self, key: str) -> None:
        del self._all()[key]
        self._write()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            write_note(self.path, self._all())
