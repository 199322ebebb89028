"""Which steps are done already: keys, and the artifacts that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tunesmith.contracts.artifacts import Artifact
from tunesmith.planning.keys import step_key
from tunesmith.planning.plan import Plan, PlannedStep
from tunesmith.running.journal import FILE, CacheRow, Journal
from tunesmith.running.store import Store


def key_of(step: PlannedStep, digests: Mapping[str, str]) -> str | None:
    """The step's cache key; None while a step that it reads has no digest in `digests`, or its environment is not resolved.

    Args:
        digests: by step: of its artifact; of a service, its key.
    """
    if any(source.step and not digests.get(source.step) for source in step.inputs.values()) or (step.recipe and not step.lock):
        return None
    return step_key(step, digests)


def lookup(journal: Journal, store: Store, key: str) -> tuple[Artifact, CacheRow] | None:
    """The artifact that answers a key, if it is there and whole."""
    row = journal.cached(key)
    if row is None or store.problem(row.digest):
        return None
    artifact = store.get(row.digest)
    return (artifact, row) if artifact is not None else None


def cached_steps(plan: Plan, home: Path) -> dict[str, bool]:
    """For every step of a plan whether a run would find it done. A service is if all that read it are."""
    if not (home / FILE).is_file():
        return {step.name: False for step in plan.steps}
    journal, store = Journal(home), Store(home)
    digests: dict[str, str] = {}
    found: dict[str, bool] = {}
    for step in plan.steps:
        key = key_of(step, digests)
        if step.verb.service:
            digests[step.name] = key or ""
            continue
        hit = lookup(journal, store, key) if key else None
        digests[step.name] = hit[0].digest if hit else ""
        found[step.name] = hit is not None
    journal.close()
    for step in plan.steps:
        if step.verb.service:
            readers = [other.name for other in plan.steps if any(source.step == step.name for source in other.inputs.values())]
            found[step.name] = bool(readers) and all(found.get(name, False) for name in readers)
    return found
