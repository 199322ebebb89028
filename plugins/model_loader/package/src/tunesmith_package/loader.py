"""Loader for `package://` URIs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError
from tunesmith_file import find
from tunesmith_file.copying import copy_files
from tunesmith_file.describe import describe_layout
from tunesmith_file.digests import revision_of, sha256_of
from tunesmith_package.sources import obtain
from tunesmith_package.uri import PackageURI


class PackageLoader:
    """The revision is the distribution's version and the SHA-256 over the model's files, the same however they came here."""

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        parsed = PackageURI.parse(uri)
        found = obtain(parsed, step)
        where = parsed.where(found.version)
        layout = find(found.files, _inside(parsed.file, found.files), where=where)
        format, config = describe_layout(found.root, layout)
        files = {}
        for name in layout.files:
            path, known = found.root / layout.root / name, found.files[layout.root + name]
            files[name] = {"size": int(known["size"]), "sha256": known.get("sha256") or sha256_of(path, step, "hash")}
        digest = revision_of({name: entry["sha256"] for name, entry in files.items()})
        fetch = {"directory": str(found.root / layout.root), "ours": found.ours, "pinned": f"{where}/{parsed.file}", "wheel": found.wheel}
        return ModelInfo(uri, f"{found.version} {digest}", format, files, config, fetch)

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        source = info.fetch
        if not all((Path(source["directory"]) / name).is_file() for name in info.files):  # uninstalled, or the cache was emptied
            again = self.resolve(source["pinned"], step)
            if again.revision != info.revision:
                why = f"They were {info.revision}, they are {again.revision}."
                raise TunesmithError(
                    "TS-MODEL-007", f"{source['pinned']} has other files than were planned with.", why=why, fix="Plan again."
                )
            source = again.fetch
        copy_files(info, Path(source["directory"]), output, step, link=source["ours"])


def _inside(file: str, names: Iterable[str]) -> str:
    """The one path within the distribution that ends with `file`, so that the package's own directory may be left out."""
    names = set(names)
    paths = names | {name.rpartition("/")[0] for name in names}
    matching = {path for path in paths if path.endswith("/" + file)} if file and file not in paths else set()
    return matching.pop() if len(matching) == 1 else file
