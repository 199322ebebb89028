"""What may be asked for by name: what the installed plugins' manifests say, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.settings import aliases_of
from tunesmith_cli.api import card_sizes
from tunesmith_recommend.api import installed_models

if TYPE_CHECKING:
    from pathlib import Path

    from tunesmith.plugins.records import ProviderRecord
    from tunesmith.plugins.registry import Registry

CARDS = "device_backend"
SMALLER = ("quantizer", "exporter")  #: kinds whose providers make a model smaller


@dataclass(frozen=True)
class Vocabulary:
    """
    Args:
        providers: (kind, name) -> record, of the kinds that a recommended pipeline is made of.
        settings: a setting's own name -> its schema, of training steps and of those providers that can be given some.
        aliases: another name of a setting -> its own.
        owned: (owner, a setting's own name) -> its schema there; owners are ``train`` and ``adapter.lora``.
        cards: names of cards that device backends know; `sizes`: such a name -> cards of it, the one with the least memory first, where
            it leaves open which is meant: ``A100``.
        models: URIs of described models.
    """

    providers: Mapping[tuple[str, str], ProviderRecord]
    settings: Mapping[str, Mapping[str, Any]]
    aliases: Mapping[str, str]
    owned: Mapping[tuple[str, str], Mapping[str, Any]]
    cards: tuple[str, ...]
    models: tuple[str, ...]
    sizes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry, models: Path | None = None) -> Vocabulary:
        """
        Args:
            models: a file that describes models of one's own.
        """
        verbs = [*registry.providers("verb").values()]
        training = [verb for verb in verbs if verb.main_kind and any(s.name == verb.produces_of != "" for s in verb.slots)]
        kinds = [kind for verb in training for kind in (verb.main_kind, next(s.kind for s in verb.slots if s.name == verb.produces_of))]
        tuned = [*kinds, *SMALLER]
        kinds = [*tuned, *(verb.main_kind for verb in verbs if verb.service and verb.main_kind)]
        providers = {(kind, name): record for kind in dict.fromkeys(kinds) for name, record in registry.providers(kind).items()}
        having = [(verb.name, verb) for verb in training] + [(f"{k}.{n}", one) for (k, n), one in providers.items() if k in tuned]
        settings: dict[str, Mapping[str, Any]] = {}
        aliases: dict[str, str] = {}
        owned: dict[tuple[str, str], Mapping[str, Any]] = {}
        for owner, record in having:
            for name, entry in record.schema.get("properties", {}).items():
                settings.setdefault(name, entry)
                owned[owner, name] = entry
            for alias, name in aliases_of(record.schema).items():
                aliases.setdefault(alias, name)
        cards = [
            called
            for backend in registry.providers(CARDS).values()
            for title, entry in backend.facts.get("cards", {}).items()
            for called in (title, *entry.get("also", ()))
        ]
        sizes = card_sizes(registry)
        described, _ = installed_models(registry, models)
        models_there = tuple(model.uri for model in described)
        return cls(providers, settings, aliases, owned, (*cards, *(name for name in sizes if name not in cards)), models_there, sizes)
