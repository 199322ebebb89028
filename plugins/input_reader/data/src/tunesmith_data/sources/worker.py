"""A source asked in a worker: what an address names is fetched into the cache, and where it lies is answered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tunesmith.contracts import Result, Step
from tunesmith.errors import TunesmithError, UserError
from tunesmith_data.api import DatasetSource, FoundDataset
from tunesmith_data.shards import SUFFIX, write_index
from tunesmith_file.api import cache_root

_LABEL = re.compile(r"[^A-Za-z0-9._-]+")


def run(step: Step) -> Result:
    """The path of the file of rows, the revision, and the bytes of all, as the result's meta.

    Raises:
        UserError: TS-DATA-088 where there is more than may be fetched; what the source raises.
    """
    settings: Any = step.settings
    source: DatasetSource = step.provider("dataset_source")
    found = source.find(settings.address, Path(settings.base), step)
    place = _place(found, settings.address) if found.revision else None
    if place is None or not place.is_dir():
        _refuse_much(found, settings.address, settings.most)
        place = _brought(source, found, place, step)
    return Result(meta={"path": str(_rows(place, found)), "revision": found.revision, "size": _size(place)})


def _refuse_much(found: FoundDataset, address: str, most: int) -> None:
    if most and found.size > most:
        raise UserError(
            "TS-DATA-088", f"{address} is {found.size / 1e9:.1f} GB, which a plan does not fetch by itself",
            why=f"It is more than {most / 1e9:.1f} GB.", fix=f"Fetch it once: tunesmith data fetch '{address}'",
        )  # fmt: skip


def _brought(source: DatasetSource, found: FoundDataset, place: Path | None, step: Step) -> Path:
    """The folder with the files, which becomes visible when all are there."""
    root = cache_root() / "datasets"
    try:
        root.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
        try:
            source.fetch(found, aside, step)
            if missing := [name for name in found.files if not (aside / name).is_file()]:
                raise TunesmithError("TS-DATA-089", f"{missing[0]} was to be fetched and did not come", fix="Tell the source's author.")
            if len(found.rows) > 1:
                write_index(aside / _index(found), found.rows)
            place = place or root / f"{_label(found)}-{_content(aside)[:16]}"
            with contextlib.suppress(OSError):  # another process was quicker
                os.replace(aside, place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise TunesmithError("TS-DATA-089", f"the rows can't be kept in {root}", why=error.strerror or str(error),
                             fix="Free some space, or set TUNESMITH_CACHE to another folder.", user=True) from error  # fmt: skip
    return place


def _place(found: FoundDataset, address: str) -> Path:
    key = json.dumps([address.partition("://")[0], found.revision, sorted(found.files.items()), found.rows])
    return cache_root() / "datasets" / f"{_label(found)}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _rows(place: Path, found: FoundDataset) -> Path:
    return place / (_index(found) if len(found.rows) > 1 else found.rows[0])


def _index(found: FoundDataset) -> str:
    return _label(found) + SUFFIX


def _label(found: FoundDataset) -> str:
    return _LABEL.sub("-", found.label).strip("-.")[:80] or "rows"


def _content(folder: Path) -> str:
    state = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        state.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                state.update(piece)
    return state.hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
