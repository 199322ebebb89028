"""Loader for `file://` URIs."""

from __future__ import annotations

import re
from os.path import exists
from pathlib import Path
from urllib.parse import unquote

from tunesmith.contracts.digests import looks
from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.contracts.untrusted_files import roots_of
from tunesmith.errors import UserError
from tunesmith_file.declared_layouts import declared_layouts
from tunesmith_file.digests import revision_of, sha256_of
from tunesmith_file.file_copy import check_files, copy_files
from tunesmith_file.model_description import describe_layout, locate
from tunesmith_file.model_files import Layout

_READINGS = 3  # of files that are written meanwhile


def path_of(uri: str) -> Path:
    """`file:///abs`, `file://localhost/abs`, `file:/abs`, `file://relative`, `file://~/x`, or a plain path -> a path.

    Percent signs are decoded unless a file of the very name exists.

    Raises:
        UserError: TS-MODEL-003 if the URI names no path.
    """
    rest = re.sub(r"^file:(//(localhost(?=/))?)?", "", uri, flags=re.IGNORECASE)
    if not rest or "\0" in rest:
        raise UserError("TS-MODEL-003", f"`{uri}` names no file.", fix="Write file:///absolute/path or file://relative/path.")
    literal = Path(rest).expanduser() if rest.startswith("~/") else Path(rest)
    decoded = Path(unquote(str(literal)))
    return decoded if exists(decoded) and not exists(literal) else literal


class FileLoader:
    """The revision of a model on disk is the SHA-256 over its files."""

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        path = path_of(uri).absolute()
        root, layout = locate(path, declared_layouts(step.facts))
        check_files(root, layout.files, _within(path, step))
        for _ in range(_READINGS):
            before = [looks(root / name) for name in layout.files]
            info = self._described(uri, path, root, layout, step)
            if [looks(root / name) for name in layout.files] == before:
                return info
        raise UserError("TS-MODEL-007", f"The files in {root} changed each time they were read.", why="Something keeps writing to them.",
                        fix="Wait until they are written, or name a copy of them.")  # fmt: skip

    def _described(self, uri: str, path: Path, root: Path, layout: Layout, step: Step) -> ModelInfo:
        format, config = describe_layout(root, layout, declared_layouts(step.facts))
        files = {name: {"size": (root / name).stat().st_size, "sha256": sha256_of(root / name, step, "hash")} for name in layout.files}
        revision = revision_of({name: entry["sha256"] for name, entry in files.items()})
        return ModelInfo(uri, revision, format, files, config, {"named": str(path)}, str(root))

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        copy_files(info, Path(info.directory), output, step, within=_within(Path(info.fetch.get("named", info.directory)), step))


def _within(path: Path, step: Step) -> tuple[Path, ...]:
    """The folders that the files of the model at `path` may lead to; a file that the user names itself may be a link to anywhere."""
    return roots_of(path, step.roots) if path.is_dir() else roots_of(path.parent, (path, *step.roots))
