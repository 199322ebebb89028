"""The load test at the end: of the server that a pipeline ends with, by whoever measures endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.api import declared

if TYPE_CHECKING:
    from tunesmith.contracts import ProviderRecord
    from tunesmith.plugins.registry import Registry

LOAD = "load"
KIND = "evaluator"


def with_load_test(registry: Registry, pipeline: Mapping[str, Any]) -> dict[str, Any]:
    """The pipeline with a step that puts load on its server, where it has one and an evaluator that measures time is installed."""
    steps: Mapping[str, Mapping[str, Any]] = pipeline["steps"]
    verbs = registry.providers("verb")
    server = next((name for name, step in reversed(steps.items()) if any(verbs[key].service for key in step if key in verbs)), "")
    judge = next((verb for verb in verbs.values() if verb.main_kind == KIND), None)
    timed = [record for record in registry.providers(KIND).values() if _measures(record)]
    found = [one for one in declared(timed, "", "", 0) if one.said]
    if not (server and judge and found):
        return dict(pipeline)
    return {**pipeline, "steps": {**steps, LOAD: {judge.name: found[0].written, "from": server}}}


def _measures(record: ProviderRecord) -> bool:
    """Whether it measures how fast a server answers, with requests of its own."""
    return bool(record.facts.get("timed")) and not record.facts.get("data")
