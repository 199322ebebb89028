"""What was tried for the same rows and wishes before: kept beside the runs, so that who was stopped goes on where he was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith_auto.policy import Remedy
from tunesmith_cli.api import write_whole

if TYPE_CHECKING:
    from tunesmith_recommend.api import Wishes

FOLDER = "auto"  #: in the home


@dataclass
class History:
    """
    Args:
        remedies: that were followed, the first first.
        written: SHA-256 of the pipeline's file as it was written last; empty: it was not.
        found: what was recommended and is not done yet, with the rows' facts that it was recommended for. What earlier runs tell may
            change a recommendation, and who was stopped goes on with his own.
    """

    path: Path
    remedies: list[Remedy] = field(default_factory=list)
    written: str = ""
    found: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, home: Path, asked: Mapping[str, Any]) -> History:
        """What was tried for what is asked, which is anything that JSON can hold."""
        name = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]
        path = home / FOLDER / f"{name}.json"
        found = read_note(path) or {}
        return cls(path, [Remedy(**one) for one in found.get("remedies", ())], str(found.get("written", "")), found.get("found", {}))

    @property
    def followed(self) -> list[str]:
        return [one.rule for one in self.remedies]

    def wishes(self, wishes: Wishes) -> Wishes:
        """With what was learnt."""
        failed: dict[str, str] = {}
        settings: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        for one in self.remedies:
            failed |= one.failed
            settings |= one.settings
            reasons |= one.reasons
        return replace(
            wishes, failed={**wishes.failed, **failed}, settings={**wishes.settings, **settings}, reasons={**wishes.reasons, **reasons}
        )  # fmt: skip

    def follow(self, remedy: Remedy) -> None:
        self.remedies.append(remedy)
        self.begin({})

    def begin(self, found: Mapping[str, Any]) -> None:
        """Note what is recommended; nothing where that is done, or something else is wanted now."""
        self.found = found
        self._write()

    def forget(self) -> None:
        """All but whose the file is."""
        self.remedies.clear()
        self.begin({})

    def write(self, file: Path, text: str) -> None:
        """Write the pipeline's file, and note that it is ours."""
        self.written = _digest(text)
        self._write()
        write_whole(file, text)

    def owns(self, file: Path) -> bool:
        """Whether a file is as it was written here; one that is not there is."""
        if not file.is_file():
            return not file.exists()
        return _digest(file.read_text(encoding="utf-8", errors="replace")) == self.written

    def _write(self) -> None:
        write_note(self.path, {"remedies": [asdict(one) for one in self.remedies], "written": self.written, "found": self.found})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
