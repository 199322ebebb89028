"""Contract of kind ``model_loader``: brings a model from where it lives into the store.

Facts: ``schemes`` (list of URI schemes it serves, e.g. ``["hf"]``), ``models`` (a JSON file beside the manifest that describes models which
it brings, for recommendations: docs/recommend.md), ``volatile`` (true if what a URI means may change at
any time, as with files on disk: `resolve` is then asked at every plan, else once in a project), ``elsewhere`` (a regular expression of how
other tools write what it brings, without the scheme; its first group is the rest of the URI, which who types such a name is told),
``publisher`` (``package.module:Class``, which puts models to where it brings them from: docs/hubs.md). A model URI is
``scheme://rest[@revision]``.

Formats that loaders don't know are recognised by what their writers declare: any provider may have the fact ``layouts``, an object of
formats. ``{"acme/tilt": {"files": ["tilt.bin"], "also": ["tilt_*.json"]}}`` is a directory in which each of the patterns of ``files``
matches a file, and no checkpoint of safetensors lies beside it; what matches ``also`` belongs to it, too. ``{"acme/packed": {"config":
["packing.bits"]}}`` is a checkpoint of safetensors whose config.json has each of these keys. A loader finds all of them in
``step.facts["layouts"]``, a list, when it resolves a URI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tunesmith.contracts.step import Step


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model before its weights are here.

    Args:
        uri: as the user wrote it.
        revision: what pins it: a commit, a version, a digest. The same revision is the same files for ever.
        format: the artifact format that `fetch` will make (``model/hf``, ``model/gguf``, ``adapter/peft``).
        files: path -> ``{"size": bytes, "sha256": hex or ""}``.
        config: the model's configuration in the terms of a Hugging Face ``config.json``; empty if unknown.
        fetch: whatever the loader wants to be told again at `fetch` (a URL, a local path).
        directory: where the files lie on this machine already, for what looks at them before they are fetched; empty if nowhere.
    """

    uri: str
    revision: str
    format: str
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    fetch: Mapping[str, Any] = field(default_factory=dict)
    directory: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(int(entry.get("size", 0)) for entry in self.files.values())


def brings_code(config: Mapping[str, Any]) -> bool:
    """Whether the checkpoint brings a model's class as code beside its weights (``auto_map``)."""
    mapped = config.get("auto_map")
    return isinstance(mapped, Mapping) and any("Model" in str(name) or name == "AutoConfig" for name in mapped)


class ModelLoader(Protocol):
    """Both methods run in a worker; `resolve` must be quick and may use the network, never the weights' worth of it
    unless there is no other way."""

    def resolve(self, uri: str, step: Step) -> ModelInfo:
        """Pin the revision and list the files.

        Raises:
            UserError: TS-MODEL-001 when there is no such model, TS-MODEL-002 when it can't be reached or offline mode
                forbids it, both with what to do.
        """

    def fetch(self, info: ModelInfo, output: Path, step: Step) -> None:
        """Put the files into `output`, verified, continuing what a killed attempt left in `step.work`."""
