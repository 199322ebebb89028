"""What a worker of the kit is asked to do, as the settings of its step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import Input, Kind, Need, Slot, setting
from tunesmith.plugins.records import ProviderRecord


@dataclass(frozen=True)
class Request:
    """One provider and the checks to make of it."""

    record: dict[str, Any] = setting({}, "the provider's record, as JSON")
    kind: dict[str, Any] = setting({}, "its kind, as JSON, where a plugin brings it")
    kinds: list[str] = setting([], "names of all kinds that there are")
    checks: list[str] = setting([], "ids of the checks, in order")
    values: dict[str, Any] = setting({}, "settings of the provider")
    materials: dict[str, Any] = setting({}, "name -> path of what the kit made for it")
    tolerances: dict[str, Any] = setting({}, "check id -> number that the plugin's author declares")
    author: str = setting("", "the author's Python file with sources and oracles")
    extra: dict[str, Any] = setting({}, "what one check tells its worker")

    def brought(self) -> Kind | None:
        """The provider's kind, if a plugin brings it."""
        return Kind(**self.kind) if self.kind else None

    def provider(self) -> ProviderRecord:
        """The record, as the manifest's reader would have given it."""
        data = dict(self.record)
        for name, cls in (("needs", Need), ("slots", Slot), ("inputs", Input)):
            data[name] = tuple(cls(**entry) for entry in data.get(name, ()))
        for name in ("accepts", "produces"):
            data[name] = tuple(data[name])
        return ProviderRecord(**data)
