"""The loader around a hub: what is the same for all of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.errors import UserError
from tunesmith_file.api import (
    Layout,
    NotGGUF,
    config_of,
    declared_layouts,
    describe,
    find,
    format_of,
    gguf_config,
    kept_layouts,
    read_cached_json,
    read_header,
    read_json,
    with_quantization,
    write_json,
)
from tunesmith_hubs.cache import blobs
from tunesmith_hubs.changes import changes
from tunesmith_hubs.files import HubFiles
from tunesmith_hubs.http.client import Refused
from tunesmith_hubs.hub import Hub, HubAddress, Source
from tunesmith_hubs.listing import HubFile, Listing

H = TypeVar("H", bound=Hub)


class HubLoader(HubFiles[H]):
    """A model loader for a hub: a plugin's class derives from it and says in `__init__` which hub that is."""

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        address = self.hub.parse(uri)
        listing, before = self.listing(address, step)
        layouts = declared_layouts(step.facts)
        layout = find(listing.files, address.inside, where=str(address), layouts=layouts)
        files = {name: listing.files[layout.root + name] for name in layout.files}
        at = address.at(listing.revision)
        format, config = self._described(at, layout, files, step)
        if before is not None:
            self._tell_changes(address, before, listing, layout, step)
        facts = {name: {"size": file.size, "sha256": file.sha256} for name, file in files.items()}
        unnamed = {name: [file.digest, file.version] for name, file in files.items() if not file.sha256}
        versions = {name: file.version for name, file in files.items() if file.sha256 and file.version}
        fetch = {"root": layout.root, "other": unnamed} | ({"versions": versions} if versions else {})
        fetch |= kept_layouts(layouts, format)
        return ModelInfo(uri, listing.revision, format, facts, config, fetch)

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        root, files = str(info.fetch["root"]), _planned(info)
        address = self.hub.parse(info.uri).at(info.revision)
        local = {name: self.local(address, root + name, file, step) for name, file in files.items()}
        missing = {root + name: file for name, file in files.items() if local[name] is None}
        fetched = self.download(address, missing, step)
        for name, file in files.items():
            blobs.place(local[name] or fetched[root + name], output / name, file, step)
        describe(output, declared_layouts(info.fetch))  # headers tell what hashes do not: whether the model was whole when it was uploaded

    def _described(self, at: HubAddress, layout: Layout, files: Mapping[str, HubFile], step: Step) -> tuple[str, dict[str, Any]]:
        """Format and config, for which little is fetched: one JSON file or two, or the header of a GGUF file."""
        if layout.kind == "gguf":
            return "model/gguf", self._gguf_config(at, layout.root + layout.files[0], files[layout.files[0]], step)

        def read(name: str) -> dict[str, Any]:
            return read_json(self.here(at, layout.root + name, files[name], step))

        if layout.kind == "peft":
            return "adapter/peft", read("adapter_config.json")
        if layout.kind != "hf":
            return layout.kind, read("config.json") if "config.json" in files else {}
        config = with_quantization(read("config.json"), files, read)
        return format_of(config, declared_layouts(step.facts)), config

    def _gguf_config(self, at: HubAddress, name: str, file: HubFile, step: Step) -> dict[str, Any]:
        sizes = (path for path in (blobs.blob(file), *self.hub.copies(at, name, file)) if path and path.is_file())
        for path in sizes:
            if path.stat().st_size == file.size:
                return gguf_config(path)
        remembered = blobs.root() / "headers" / f"{file.key}.json"
        if config := read_cached_json(remembered):
            return config
        self.require_online(at, {name: file})
        patience = self.patience(step)

        def header(source: Source) -> Any:
            # It is read as far as it goes, then the connection is dropped.
            with source.open(0, file.size - 1) as (pieces, _):
                return read_header(io.BufferedReader(_Stream(pieces), 1 << 16), file.size)

        try:
            source = self.hub.sources(at, name, file)[0]
            config = config_of(patience().attempts(lambda: header(source), name))
        except Refused as refusal:
            raise self.hub.error(refusal, at, patience) from None
        except NotGGUF as error:
            raise UserError("TS-MODEL-008", f"{at}: {name} is not a whole GGUF file: {error}.", fix="Tell whoever uploaded it.") from None
        write_json(remembered, config)
        return config

    def _tell_changes(self, address: HubAddress, before: Listing, now: Listing, layout: Layout, step: Step) -> None:
        def read(listing: Listing) -> Callable[[str], Path | None]:
            return lambda name: self.local(address.at(listing.revision), name, listing.files[name], step)

        said = changes(
            before, now, layout.root, read(before), lambda name: self.here(address.at(now.revision), name, now.files[name], step)
        )
        step.log(f"{address} has moved from {before.revision[:12]} to {now.revision[:12]} since it was last seen here: {said}", "warning")


def _planned(info: ModelInfo) -> dict[str, HubFile]:
    """The files with what they were planned to be."""
    other: Mapping[str, Any] = info.fetch["other"]
    versions: Mapping[str, str] = info.fetch.get("versions", {})
    files = {}
    for name, entry in info.files.items():
        digest, version = other.get(name) or (str(entry["sha256"]), versions.get(name, ""))
        files[name] = HubFile(int(entry["size"]), digest, git=bool(digest) and name in other, version=version)
    return files


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file that is read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._pieces, b"")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
