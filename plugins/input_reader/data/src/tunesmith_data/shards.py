"""A file that names others, whose rows are read one after the other as if they stood in one.

A dataset of several files is such an index with the files beside it. It names each with its SHA-256, so that equal bytes of the index are
equal rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from tunesmith.contracts.digests import file_sha256
from tunesmith_data.line import NotRows

SUFFIX = ".shards"
_KEY = "tunesmith_shards"


def write_index(path: Path, names: Sequence[str]) -> None:
    """Args: names: of files in the same folder."""
    files = [{"name": name, "sha256": file_sha256(path.parent / name)} for name in names]
    path.write_text(json.dumps({_KEY: 1, "files": files}, indent=1) + "\n", encoding="utf-8")


def shards(path: Path) -> Iterator[Path]:
    """
    Raises:
        NotRows: it is no index, or names a file that lies elsewhere.
    """
    try:
        names = [str(entry["name"]) for entry in json.loads(path.read_text(encoding="utf-8"))["files"]]
    except (ValueError, KeyError, TypeError):
        raise NotRows("it is no index of files", "Name the dataset anew; what is in the cache can be deleted.") from None
    for name in names:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise NotRows(f"it names {name}, which lies elsewhere", "Name the dataset anew.")
        yield path.parent / name
