"""A directory as a dataset: texts, each of which is a row, or pictures with what is said of them.

Texts (``.txt``, ``.md``) become ``{"text", "file"}``. Pictures become ``{"image", ...}`` with what a file ``metadata.jsonl`` or
``metadata.csv`` says of them by `file_name`, as `datasets` keeps them (https://huggingface.co/docs/datasets/image_dataset), else with the
text beside each (``cat.jpg``, ``cat.txt``) as ``caption``. Where every file lies in a folder of its kind (``spam/1.txt``), the folder's
name is the ``label``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import Step, UserError
from tunesmith.contracts.untrusted_files import path_of
from tunesmith_data.api import FoundDataset
from tunesmith_data.line import NotRows
from tunesmith_data.rows_file import read_file

ROWS = "rows.jsonl"
TEXTS = (".txt", ".md")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
METADATA = ("metadata.jsonl", "metadata.csv")
_DATA = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".gz", ".zst")


class Directory:
    """Reads what lies in a directory, whatever its depth, in the order of names."""

    def find(self, address: str, base: Path, step: Step) -> FoundDataset:
        folder = path_of(address, base)
        if not folder.is_dir():
            raise UserError("TS-DATA-001", f"There is no directory {address}", fix="Correct the path.")
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)]
        kind = _kind(files)
        if not kind:
            raise _nothing(address, files)
        used = [path for path in files if path.suffix.lower() in (*kind, *TEXTS) or path.name in METADATA]
        names = {_name(path, folder): path.stat() for path in used}
        state = json.dumps([[name, found.st_size, found.st_mtime_ns] for name, found in names.items()])
        brought = {ROWS: 0} | ({name: names[name].st_size for name in names if name.lower().endswith(PICTURES)} if kind == PICTURES else {})
        return FoundDataset(
            folder.name, brought, (ROWS,), hashlib.sha256(f"{folder.absolute()}\n{state}".encode()).hexdigest(),
            {"folder": str(folder.absolute()), "files": [*names], "pictures": kind == PICTURES},
        )  # fmt: skip

    def fetch(self, found: FoundDataset, folder: Path, step: Step) -> None:
        source, names = Path(found.fetch["folder"]), found.fetch["files"]
        rows = _pictures(source, names) if found.fetch["pictures"] else _texts(source, names)
        with open(folder / ROWS, "w", encoding="utf-8") as lines:
            for number, row in enumerate(rows, 1):
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                if number % 256 == 0:
                    step.check_cancelled()
                    step.progress(number, what="reading the directory", unit="files")
        for name in found.files:
            if name != ROWS:
                _place(source / name, folder / name)
                step.check_cancelled()


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _kind(files: Sequence[Path]) -> tuple[str, ...]:
    """Endings of what the directory is a dataset of: pictures where there is one, else texts; none where there are neither."""
    endings = Counter(path.suffix.lower() for path in files)
    return next((kind for kind in (PICTURES, TEXTS) if any(endings[one] for one in kind)), ())


def _nothing(address: str, files: Sequence[Path]) -> UserError:
    data = [path for path in files if path.suffix.lower() in _DATA]
    why = f"It holds {len(files)} files, neither texts ({', '.join(TEXTS)}) nor pictures ({', '.join(PICTURES)})."
    if data:
        pattern = f"{address.rstrip('/')}/**/*{data[0].suffix}"
        return UserError("TS-DATA-006", f"{address} is a directory of files of rows", why=why, fix=f"Name them by a pattern: {pattern}")
    return UserError("TS-DATA-006", f"{address} is a directory without anything to train on", why=why, fix="Name another one, or a file.")


def _labels(names: Sequence[str]) -> dict[str, str]:
    """Name -> folder, where all lie in one of several folders and none deeper."""
    folders = {name: name.rpartition("/")[0] for name in names}
    told = set(folders.values())
    return folders if len(told) > 1 and all(one and "/" not in one for one in told) else {}


def _texts(source: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    labels = _labels(names)
    for name in names:
        text = _read(source / name, name)
        if text.strip():
            yield {"text": text, **({"label": labels[name]} if labels else {}), "file": name}


def _pictures(source: Path, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    pictures = [name for name in names if name.lower().endswith(PICTURES)]
    said, labels, others = _metadata(source, names), _labels(pictures), set(names)
    for name in pictures:
        row: dict[str, Any] = {"image": name}
        beside = next((found for end in TEXTS if (found := name.rpartition(".")[0] + end) in others), "")
        if said:
            if name not in said:
                continue
            row |= said[name]
        elif beside:
            row["caption"] = _read(source / beside, beside).strip()
        elif labels:
            row["label"] = labels[name]
        yield row


def _metadata(source: Path, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What is said of pictures, by their names from the directory on; each file of metadata speaks of its own folder."""
    found: dict[str, Mapping[str, Any]] = {}
    for name in (name for name in names if name.rpartition("/")[2] in METADATA):
        above = name.rpartition("/")[0]
        try:
            for line in read_file(source / name):
                if line.problem or (line.row and not isinstance(line.row.get("file_name"), str)):
                    told = line.problem or "has no `file_name`"
                    raise UserError("TS-DATA-006", f"{name}, line {line.number} {told}", fix="Name the picture in `file_name`.")
                if line.row:
                    picture = os.path.normpath(os.path.join(above, line.row["file_name"])).replace(os.sep, "/")
                    found[picture] = {key: value for key, value in line.row.items() if key != "file_name"}
        except NotRows as error:
            raise UserError("TS-DATA-006", f"{name} can't be read as rows: {error}", fix=error.fix) from None
    return found


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fix = "Write it in UTF-8, or take it out of the directory."
        raise UserError("TS-DATA-006", f"{name} is not UTF-8 (byte {error.start + 1})", fix=fix) from None


def _place(source: Path, target: Path) -> None:
    """By a hard link where the file system can, else as a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
