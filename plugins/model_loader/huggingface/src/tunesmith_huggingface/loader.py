"""Loader for `hf://` URIs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.model_loader import ModelInfo
from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError
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
from tunesmith_huggingface import cache, environment_variables
from tunesmith_huggingface.download import Download, Transfer
from tunesmith_huggingface.http import Client, Patience, Refused
from tunesmith_huggingface.hub import Hub
from tunesmith_huggingface.hub_errors import hub_error
from tunesmith_huggingface.local_copy import local_copy, place
from tunesmith_huggingface.repository_files import HubFile, Listing
from tunesmith_huggingface.settings import HuggingFaceSettings
from tunesmith_huggingface.uri import HubURI


class HuggingFaceLoader:
    """The revision of a model is its commit."""

    def __init__(self, settings: HuggingFaceSettings | None = None) -> None:
        self.settings = settings or HuggingFaceSettings()
        self._endpoint = self.settings.endpoint.rstrip("/") or environment_variables.endpoint()
        self._client = Client(self._endpoint, environment_variables.token(), self.settings.timeout)

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        parsed = HubURI.parse(uri)
        listing = self._listing(parsed, step)
        layouts = declared_layouts(step.facts)
        layout = find(listing.files, parsed.inside, where=str(parsed), layouts=layouts)
        files = {name: listing.files[layout.root + name] for name in layout.files}
        format, config = self._described(parsed, listing.commit, layout, files, step)
        facts = {name: {"size": file.size, "sha256": "" if file.git else file.digest} for name, file in files.items()}
        fetch = {"repo": parsed.repo, "root": layout.root, "git": {name: file.digest for name, file in files.items() if file.git}}
        return ModelInfo(uri, listing.commit, format, facts, config, fetch | kept_layouts(layouts, format))

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        repo, root = str(info.fetch["repo"]), str(info.fetch["root"])
        files = _planned(info)
        local = {name: local_copy(repo, file, step) for name, file in files.items()}
        missing = {name: file for name, file in files.items() if local[name] is None}
        pinned = HubURI(repo, info.revision)
        self._download(pinned, {root + name: file for name, file in missing.items()}, step)
        for name, file in files.items():
            place(local[name] or cache.blob(file), output / name, file, step)
        describe(output, declared_layouts(info.fetch))  # headers tell what hashes do not: whether the model was whole when it was uploaded

    def _listing(self, uri: HubURI, step: Step) -> Listing:
        known = cache.remembered(uri)
        if known and (uri.pinned or environment_variables.is_offline()):
            return known
        if environment_variables.is_offline():
            raise UserError("TS-MODEL-002", f"Offline mode is on and {uri} is not in the cache.",
                            fix="Run once without TUNESMITH_OFFLINE and HF_HUB_OFFLINE.")  # fmt: skip
        try:
            listing = self._hub(step).listing(uri)
        except TunesmithError as error:
            if error.code != "TS-MODEL-002" or known is None:
                raise
            step.log(f"{error.what} Going on with what it was when it was last seen: commit {known.commit[:12]}.", "warning")
            return known
        cache.remember(uri, listing)
        return listing

    def _described(self, uri: HubURI, commit: str, layout: Layout, files: Mapping[str, HubFile], step: Step) -> tuple[str, dict[str, Any]]:
        """Format and config, for which little is fetched: one JSON file or two, or the header of a GGUF file."""
        if layout.kind == "gguf":
            return "model/gguf", self._gguf_config(uri, commit, layout.root + layout.files[0], files[layout.files[0]], step)

        def read(name: str) -> dict[str, Any]:
            path = local_copy(uri.repo, files[name], step)
            if path is None:
                self._download(HubURI(uri.repo, commit), {layout.root + name: files[name]}, step)
            return read_json(path or cache.blob(files[name]))

        if layout.kind == "peft":
            return "adapter/peft", read("adapter_config.json")
        if layout.kind != "hf":
            return layout.kind, read("config.json") if "config.json" in files else {}
        config = with_quantization(read("config.json"), files, read)
        return format_of(config, declared_layouts(step.facts)), config

    def _gguf_config(self, uri: HubURI, commit: str, name: str, file: HubFile, step: Step) -> dict[str, Any]:
        for path in (cache.blob(file), cache.foreign_blob(uri.repo, file)):
            if path and path.exists():
                return gguf_config(path)
        remembered = cache.root() / "headers" / f"{file.digest}.json"
        config = read_cached_json(remembered)
        if config:
            return config
        self._require_online(uri, 1)
        hub = self._hub(step)
        try:
            # The header is read as far as it goes, then the connection is dropped.
            header = hub.read(hub.url(uri.repo, commit, name), name, lambda r: read_header(io.BufferedReader(r, 1 << 16), file.size))
        except Refused as refusal:
            raise hub_error(hub, refusal, uri) from None
        except NotGGUF as error:
            raise UserError("TS-MODEL-008", f"{uri}: {name} is not a whole GGUF file: {error}.", fix="Tell whoever uploaded it.") from None
        config = config_of(header)
        write_json(remembered, config)
        return config

    def _download(self, uri: HubURI, files: Mapping[str, HubFile], step: Step) -> None:
        if not files:
            return
        self._require_online(uri, len(files))
        hub = self._hub(step)
        partial = cache.root() / "partial"
        partial.mkdir(parents=True, exist_ok=True)
        once = {file.digest: (name, file) for name, file in files.items()}
        transfers = [Transfer(name, hub.url(uri.repo, uri.revision, name), file, cache.blob(file)) for name, file in once.values()]
        download = Download(
            self._client, connections=self.settings.connections, part_size=self.settings.part_mib << 20, partial=partial, step=step
        )
        try:
            download.run(transfers, lambda: Patience(self.settings.max_retries, self.settings.backoff, download.stopped.wait))
        except Refused as refusal:
            raise hub_error(hub, refusal, uri) from None

    def _require_online(self, uri: HubURI, count: int) -> None:
        if environment_variables.is_offline():
            raise UserError("TS-MODEL-002", f"Offline mode is on and {count} of the files of hf://{uri.repo} are not in the cache.",
                            fix="Run once without TUNESMITH_OFFLINE and HF_HUB_OFFLINE.")  # fmt: skip

    def _hub(self, step: Step) -> Hub:
        return Hub(self._client, lambda: Patience(self.settings.max_retries, self.settings.backoff, step.wait_cancelled))


def _planned(info: ModelInfo) -> dict[str, HubFile]:
    """The files with the hashes that were planned with: SHA-256, or git's where the hub tells no other."""
    git: Mapping[str, str] = info.fetch["git"]
    return {name: HubFile(int(entry["size"]), git.get(name) or str(entry["sha256"]), name in git) for name, entry in info.files.items()}
