"""The store: artifacts by the hash of what is in them. Written aside, made durable, then renamed into place (law L5).

``store/ab/abcdef.../`` holds ``artifact.json``, ``files/`` and ``seal.json`` (see `verification`). What is found damaged is moved to
``damaged/`` beside the store (see `damaged_artifacts`): the keys that it answered lead to nothing then, so it is made again, and nothing of
it is lost.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import TunesmithError
from tunesmith.isolation.error_conversion import disk_error
from tunesmith.running.store import verification
from tunesmith.running.store.artifact_record import FILE as RECORD
from tunesmith.running.store.artifact_record import read_record, write_record
from tunesmith.running.store.damaged_artifacts import FOLDER, GONE, damaged, set_aside
from tunesmith.running.store.durability import make_durable, sync_directory
from tunesmith.running.store.hashing import artifact_digest, files_sha256
from tunesmith.running.store.staging import Staging

FILES = "files"


class Store:
    """The artifacts of a home."""

    def __init__(self, home: Path) -> None:
        self.root, self._damaged = home / "store", home / FOLDER
        self.staging = Staging(home / "staging")

    def stage(self) -> Path:
        """A staging directory with an empty ``files`` in it, for `commit` or `discard`."""
        directory = self.staging.make()
        (directory / FILES).mkdir()
        return directory

    def discard(self, staging: Path) -> None:
        self.staging.drop(staging)

    def path(self, digest: str) -> Path:
        """Where the artifact is or would be."""
        name = digest.removeprefix("sha256:")
        return self.root / name[:2] / name

    def commit(
        self, staging: Path, *, format: str, refs: Mapping[str, str] | None = None, producer: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None, metrics: Mapping[str, float] | None = None, meta: Mapping[str, Any] | None = None,
    ) -> Artifact:  # fmt: skip
        """Make an artifact of what lies in ``staging/files``; `staging` is gone afterwards, also when it fails.

        Args:
            refs, inputs: name -> digest of artifacts in this store.

        Raises:
            TunesmithError: TS-STORE-001 when the disk is full, TS-STORE-003 for a file that can't be kept, TS-STORE-002 for an unknown ref.
        """
        try:
            for digest in (refs or {}).values():
                if self.get(digest) is None:
                    raise damaged(digest, f"{GONE}, and the new artifact refers to it")
            files = _inventory(staging / FILES)
            digest = artifact_digest(format, files, refs or {})
            record = {
                "format": format, "digest": digest, "files": files, "refs": dict(refs or {}), "producer": dict(producer or {}),
                "inputs": dict(inputs or {}), "metrics": dict(metrics or {}), "meta": dict(meta or {}),
            }  # fmt: skip
            self._place(staging, record)
        except OSError as error:
            raise disk_error(error) from error
        finally:
            self.discard(staging)
        kept = {name: self.get(other) for name, other in record["refs"].items()}
        return Artifact(format, self.path(digest) / FILES, digest, kept, record["producer"], record["meta"])  # type: ignore[arg-type]

    def _place(self, staging: Path, record: Mapping[str, Any]) -> None:
        write_record(staging, record)
        make_durable(staging)
        verification.seal(staging, staging / FILES, record["files"])
        place = self.path(record["digest"])
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists() and self.problem(record["digest"], verification.ALL):
            self.set_aside(record["digest"])
        try:
            os.rename(staging, place)
        except OSError:
            if not place.exists():
                raise
            return  # somebody made the same meanwhile
        sync_directory(place.parent)

    def record(self, digest: str) -> Mapping[str, Any] | None:
        """``artifact.json`` of an artifact, which tells who made it first; None if there is none, or it is damaged."""
        return read_record(self.path(digest), digest)

    def get(self, digest: str) -> Artifact | None:
        """The artifact with this digest; None if it, or one that it refers to, is not here."""
        if (record := self.record(digest)) is None:
            return None
        refs = {name: self.get(other) for name, other in record["refs"].items()}
        if any(ref is None for ref in refs.values()):
            return None
        return Artifact(record["format"], self.path(digest) / FILES, digest, refs, record["producer"], record["meta"])  # type: ignore[arg-type]

    def digests(self) -> Iterator[str]:
        """Of all artifacts."""
        return (f"sha256:{place.name}" for place in sorted(self.root.glob("??/*")))

    def problem(self, digest: str, budget: float = 0) -> str:
        """What is wrong with an artifact; empty if nothing is. See `problems`."""
        return self.problems((digest,), budget).get(digest, "")

    def problems(self, digests: Iterable[str], budget: float = 0) -> dict[str, str]:
        """What is wrong, of those artifacts with which something is.

        Args:
            budget: bytes to read of files that look untouched; see `tunesmith.running.store.verification.damage`.
        """
        records = {digest: self.record(digest) for digest in digests}
        missing = {
            digest: f"its {RECORD} is not what was written" if self.path(digest).exists() else GONE
            for digest, record in records.items()
            if record is None
        }
        places = {digest: (self.path(digest), self.path(digest) / FILES, record["files"]) for digest, record in records.items() if record}
        return missing | verification.damage(places, budget)

    def verify(self, digest: str) -> None:
        """Hash everything again.

        Raises:
            TunesmithError: TS-STORE-002 naming what is wrong.
        """
        if problem := self.problem(digest, verification.ALL):
            raise damaged(digest, problem)

    def set_aside(self, digest: str) -> Path:
        """Take an artifact out, at once for everyone who looks; where it is kept."""
        return set_aside(self.path(digest), self._damaged)

    def size(self, digest: str) -> int:
        """Bytes of its files; 0 if it is not here."""
        record = self.record(digest)
        return sum(size for _, size in record["files"].values()) if record else 0


def _inventory(directory: Path) -> dict[str, list[Any]]:
    """path -> [sha256, size] of every file; empty directories are taken away, for they are in no hash."""
    names: list[str] = []
    for parent, directories, files in os.walk(directory, topdown=False):
        for entry in [*files, *directories]:
            path = Path(parent, entry)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise TunesmithError(
                    "TS-STORE-003", f"The step wrote `{path.relative_to(directory)}`, which is neither a file nor a directory",
                    why="An artifact holds everything that it needs, so it can hold no links.", fix="Have the step copy the file.",
                )  # fmt: skip
        names += [str(Path(parent, name).relative_to(directory).as_posix()) for name in files]
        if not os.listdir(parent) and Path(parent) != directory:
            os.rmdir(parent)
    names.sort()
    hashes = files_sha256(directory / name for name in names)
    return {name: [sha256, (directory / name).stat().st_size] for name, sha256 in zip(names, hashes, strict=True)}
