"""A model as a catalogue describes it, before anything of it is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.contracts import ModelInfo

PLAIN = "model/hf"
_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
_WEIGHTS = {PLAIN: "model.safetensors"}  # a file's name, of formats that are told by it


@dataclass(frozen=True)
class BaseModel:
    """
    Args:
        uri: as a pipeline names it.
        parameters: how many, as published.
        released: year and month, ``2025-04``.
        gated: whether one has to ask for access.
        languages: ISO 639-1, those first that it was made for.
        domains, tasks: that it was made for; none: for all.
        modalities: what it takes.
        context: tokens of the longest sequence; 0 if unknown.
        template: how its chats are written; empty: it has no chat template.
        config: its ``config.json`` as far as estimates read it.
        format, bytes: of its files.
        source: where this is from; `brought_by`: the distribution or file that says it.
    """

    uri: str
    family: str
    parameters: float
    released: str = ""
    licence: str = ""
    gated: bool = False
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ("text",)
    context: int = 0
    template: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    format: str = PLAIN
    bytes: int = 0
    source: str = ""
    brought_by: str = ""

    @classmethod
    def from_entry(cls, family: Mapping[str, Any], entry: Mapping[str, Any], brought_by: str) -> BaseModel:
        """Of an entry in a catalogue and the family that it stands in."""
        told = {**{key: value for key, value in family.items() if key != "models"}, **entry}
        told["config"] = {**family.get("config", {}), **entry.get("config", {})}
        told = {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
        told["parameters"] = round(told["parameters"] * 1e9)
        size = told.get("bytes") or round(told["parameters"] * _BYTES.get(str(told["config"].get("dtype")), 2.0))
        return cls(**{**told, "bytes": size, "brought_by": brought_by})

    @property
    def name(self) -> str:
        """Without the scheme, for texts."""
        return self.uri.partition("://")[2] or self.uri

    @property
    def billions(self) -> float:
        return self.parameters / 1e9

    @property
    def info(self) -> ModelInfo:
        """What its loader would say of it, as far as it is known: enough to plan with."""
        file = _WEIGHTS.get(self.format, f"model.{self.format.partition('/')[2]}")
        return ModelInfo(self.uri, "as described", self.format, {file: {"size": self.bytes, "sha256": ""}}, self.config)
