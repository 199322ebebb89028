"""A small mapping in a JSON file: what was found in data files, so that an unchanged file is not read again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

KEPT = 1000


class FileMemory(MutableMapping[str, Any]):
    """Loses nothing that matters: a file that can't be read or written is as good as an empty one. The oldest entries go first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._entries is None:
            try:
                found = json.loads(self.path.read_text("utf-8"))
            except (OSError, ValueError):
                found = {}
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
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._all()), "utf-8")
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
