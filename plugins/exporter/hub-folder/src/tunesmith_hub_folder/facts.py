"""What a card says, out of lineage and the model's own files; what is not known is an empty text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, fits
from tunesmith_hub_folder.lineage import Made, lineage
from tunesmith_hub_folder.settings import HubFolderSettings
from tunesmith_models import ModelShape, configuration

_HUB = re.compile(r"^hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?$")
_LICENSE = re.compile(r"^license:\s*([\w.-]+)\s*$", re.MULTILINE)
_PRIVATE = ("file",)  # schemes of addresses that say nothing to others, and something of this machine


@dataclass(frozen=True)
class Facts:
    """
    Args:
        made: the artifact's makers, the first one first.
        base: the model at the beginning, as the hub names it; `base_text`: in words, where it is elsewhere.
        license: as the hub writes it.
        parameters: of the model; 0 if unknown.
        template: how the chat template is known (SHA-256 over it and the special tokens), or that there is none.
    """

    made: Sequence[Made]
    base: str
    base_text: str
    revision: str
    license: str
    adapter: bool
    architecture: str
    parameters: int
    template: str

    @property
    def steps(self) -> list[Made]:
        """Those that made something of a model."""
        return [one for one in self.made if str(one.record.get("format", "")).startswith(("model/", "adapter/"))]

    @property
    def data(self) -> list[Made]:
        """What it was trained or calibrated on."""
        read = {digest for one in self.steps for name, digest in (one.record.get("inputs") or {}).items() if name.startswith("data")}
        return [one for one in self.made if one.digest in read]


def facts_of(source: Artifact, settings: HubFolderSettings) -> Facts:
    made = lineage(source)
    base = next((one for one in made if one.verb == "download"), None)
    uri = str(base.record.get("meta", {}).get("uri", "")) if base else ""
    hub = _HUB.match(uri)
    config = configuration(source.path)
    shape = ModelShape.from_config(config) if config else None
    return Facts(
        made,
        settings.base_model or (hub[1] if hub else ""),
        "" if uri.partition("://")[0] in _PRIVATE else uri,
        str(base.record.get("meta", {}).get("revision", "")) if base and not settings.base_model else "",
        settings.license or (_license(base.files) if base else ""),
        fits(source.format, ("adapter/*+*",)),
        ", ".join(map(str, config.get("architectures") or ())),
        shape.parameters if shape else 0,
        _template(source, made),
    )


def _license(files: Path) -> str:
    """Of the base model, by the front matter of its own card."""
    card = files / "README.md"
    found = _LICENSE.search(card.read_text("utf-8", "replace").partition("\n---")[0]) if card.is_file() else None
    return found[1] if found else ""


def _template(source: Artifact, made: Sequence[Made]) -> str:
    audits = [audit for one in reversed(made) if isinstance(audit := _meta(one).get("audit"), Mapping) and audit.get("template")]
    said = (source.path / "chat_template.jinja").is_file() or "chat_template" in _text(source.path / "tokenizer_config.json")
    if said or fits(source.format, ("model/gguf", "adapter/*")):
        return str(audits[0]["template"]) if audits else "there" if said else ""
    return "none"


def _meta(one: Made) -> Mapping[str, Any]:
    return one.record.get("meta") or {}


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""
