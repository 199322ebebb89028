"""A folder of this machine, or of one that is mounted here, as a place to publish to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from tunesmith.contracts.digests import file_sha256
from tunesmith.errors import UserError
from tunesmith_hubs import HubFile, Published, revision_of_files

_PART = ".tunesmith-part"  # of a file that is being written


class DirectoryPublisher:
    """A `Publisher` of `tunesmith_hubs` for ``file://`` addresses and paths."""

    def found(self, uri: str) -> Published | None:
        folder = _folder(uri)
        if folder.is_file():
            raise UserError("TS-MODEL-003", f"{folder} is a file.", fix="Name a folder; it may be a new one.")
        files = {}
        try:
            for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(_PART)):
                files[path.relative_to(folder).as_posix()] = HubFile(path.stat().st_size, file_sha256(path))
        except PermissionError as error:
            raise UserError("TS-MODEL-006", f"You may not read {error.filename}.", fix="Ask its owner, or `chmod` it.") from None
        return Published(revision_of_files(files), files, str(folder)) if files else None

    def publish(self, uri: str, files: Mapping[str, Path], message: str, public: bool, sent: Callable[[str], None]) -> None:
        folder = _folder(uri)
        try:
            for name, path in files.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(target.name + _PART)
                with path.open("rb") as reading, part.open("wb") as writing:
                    shutil.copyfileobj(reading, writing, 8 << 20)
                    writing.flush()
                    os.fsync(writing.fileno())
                os.replace(part, target)
                sent(name)
        except OSError as error:
            fix = "Name a folder that may be written, on a disk with room for the model."
            raise UserError("TS-MODEL-006", f"{folder} can't be written.", why=str(error.strerror or error), fix=fix) from None


def _folder(uri: str) -> Path:
    from tunesmith_file.api import path_of

    return path_of(uri).absolute()
