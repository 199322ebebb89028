"""Loader for `package://` URIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_file.api import copy_files, declared_layouts, describe_layout, find, kept_layouts, revision_of, sha256_of
from tunesmith_package.distribution_files import forget, obtain
from tunesmith_package.uri import PackageURI


class PackageLoader:
    """The revision is the distribution's version and the SHA-256 over the model's files, the same however they came here."""

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        return _locate(uri, step, step.facts)[0]

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        # Looked for again, as the package may have been installed or removed, or the cache emptied, since the plan was made.
        try:
            self._copy(info, output, step)
        except TunesmithError as error:
            if error.code != "TS-MODEL-007" or not forget(PackageURI.parse(info.fetch["pinned"])):
                raise
            step.log("The cached package was damaged; it is fetched again.", "warning")
            self._copy(info, output, step)

    def _copy(self, info: ModelInfo, output: Path, step: Step) -> None:
        found, directory, ours = _locate(info.fetch["pinned"], step, info.fetch)
        if found.revision != info.revision:
            why = f"They were {info.revision}, they are {found.revision}."
            fix = "Run the pipeline with --refresh, which plans with the files as they are now."
            raise TunesmithError("TS-MODEL-007", f"{found.uri} has other files than were planned with.", why=why, fix=fix)
        copy_files(info, directory, output, step, link=ours)


def _locate(uri: str, step: Step, facts: Mapping[str, Any]) -> tuple[ModelInfo, Path, bool]:
    """(The model, the directory of its files, whether that is in our cache). Nothing in the first depends on this machine.

    Args:
        facts: with the layouts that plugins declare.
    """
    layouts = declared_layouts(facts)
    parsed = PackageURI.parse(uri)
    found = obtain(parsed, step)
    where = parsed.where(found.version)
    layout = find(found.files, _inside(parsed.file, found.files), where=where, layouts=layouts)
    format, config = describe_layout(found.root, layout, layouts)
    files = {}
    for name in layout.files:
        path, known = found.root / layout.root / name, found.files[layout.root + name]
        files[name] = {"size": int(known["size"]), "sha256": known.get("sha256") or sha256_of(path, step, "hash")}
    digest = revision_of({name: entry["sha256"] for name, entry in files.items()})
    pinned = f"{where}/{parsed.file}".rstrip("/")
    fetch = {"pinned": pinned, **kept_layouts(layouts, format)}
    return ModelInfo(uri, f"{found.version} {digest}", format, files, config, fetch), found.root / layout.root, found.ours


def _inside(file: str, names: Iterable[str]) -> str:
    """The one path within the distribution that ends with `file`, so that the package's own directory may be left out."""
    names = set(names)
    paths = names | {name.rpartition("/")[0] for name in names}
    matching = {path for path in paths if path.endswith("/" + file)} if file and file not in paths else set()
    return matching.pop() if len(matching) == 1 else file
