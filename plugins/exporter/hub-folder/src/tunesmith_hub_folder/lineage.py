"""Where an artifact came from: what the records beside the artifacts of its store say (``artifact.json``, docs/architecture.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact

RECORD, FILES = "artifact.json", "files"


@dataclass(frozen=True)
class Made:
    """An artifact and how it was made first.

    Args:
        digest: of the artifact.
        record: what is written of it: ``format``, ``producer``, ``inputs`` (name -> digest), ``meta``, ``metrics``.
        files: where its files lie.
    """

    digest: str
    record: Mapping[str, Any]
    files: Path

    @property
    def producer(self) -> Mapping[str, Any]:
        return self.record.get("producer") or {}

    @property
    def verb(self) -> str:
        return str(self.producer.get("verb", ""))


def lineage(artifact: Artifact) -> list[Made]:
    """The artifact's makers, the first one first, the artifact itself last; itself alone where its store tells no more."""
    found: dict[str, Made] = {}
    _follow(artifact.path, artifact.digest, found)
    if not found:
        said = {"format": artifact.format, "producer": dict(artifact.producer), "meta": dict(artifact.meta)}
        return [Made(artifact.digest, said, artifact.path)]
    return list(found.values())


def _follow(files: Path, digest: str, found: dict[str, Made]) -> None:
    record = _read(files.parent / RECORD) if files.name == FILES else {}
    if record.get("digest") != digest or digest in found:
        return
    for other in sorted({*(record.get("inputs") or {}).values(), *(record.get("refs") or {}).values()} - {digest}):
        number = str(other).partition(":")[2]
        _follow(files.parents[2] / number[:2] / number / FILES, str(other), found)
    found[digest] = Made(digest, record, files)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
