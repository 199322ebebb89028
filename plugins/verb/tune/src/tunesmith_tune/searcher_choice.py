"""Which searcher is asked: the one that is named, or of those that can work here the one that its plugin puts first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts.settings import fill, problems
from tunesmith.errors import UserError, did_you_mean
from tunesmith.isolation.provider_import import build_provider
from tunesmith.planning.pipeline.yaml_lines import load_lines
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import Registry
from tunesmith.plugins.requirements import lacking, missing_error
from tunesmith_tune.api import Searcher

KIND = "searcher"


def choose_searcher(registry: Registry, name: str, goals: int) -> ProviderRecord:
    """
    Args:
        name: empty: of those that have what they run on, and take so many goals, the one of the highest priority.

    Raises:
        UserError: TS-TUNE-005 when it takes one goal and there are several.
        TunesmithError: what the registry says of one that is not there, and what is missing of one that is.
    """
    if name:
        record = registry.provider(KIND, name)
        if lacking(registry.plugin(record)):
            raise missing_error(registry.plugin(record))
        if goals > 1 and not _takes_several(record):
            others = [other.name for other in registry.providers(KIND).values() if _takes_several(other)]
            raise UserError("TS-TUNE-005", f"the searcher `{name}` takes one metric", fix=f"Choose another: {', '.join(others)}.")
        return record
    usable = [
        record for record in registry.providers(KIND).values()
        if not lacking(registry.plugin(record)) and not any(problems(record.schema, {})) and (goals == 1 or _takes_several(record))
    ]  # fmt: skip
    return max(usable, key=lambda record: (record.priority, record.name))


def searcher_settings(record: ProviderRecord, written: Sequence[str]) -> dict[str, Any]:
    """Its settings, from ``NAME=VALUE``, with defaults.

    Raises:
        UserError: TS-TUNE-005 for one that it does not have, or that has no such value.
    """
    values: dict[str, Any] = {}
    for text in written:
        name, equals, value = text.partition("=")
        if not equals:
            names = record.schema.get("properties", {})
            raise UserError("TS-TUNE-005", f"--searcher-set {text} is not NAME=VALUE", fix=did_you_mean(name, names))
        values[name], _, _ = load_lines(value, "--searcher-set")
    wrong = [f"`{path}` {sentence}" for path, sentence in problems(record.schema, values)]
    if wrong:
        fix = f"Its settings: tunesmith plugin info {record.distribution}"
        raise UserError("TS-TUNE-005", f"the searcher `{record.name}` can't be told that", why="; ".join(wrong), fix=fix)
    return fill(record.schema, values)


def build_searcher(record: ProviderRecord, settings: Mapping[str, Any]) -> Searcher:
    found: Searcher = build_provider(record.target, record.settings, settings, record.distribution)
    return found


def _takes_several(record: ProviderRecord) -> bool:
    return bool(record.facts.get("several_goals"))
