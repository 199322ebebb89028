"""Which steps are done already: keys, and the artifacts that answer them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.errors import shown
from tunesmith.planning.cache_keys import step_key
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.journal.journal import FILE, Journal
from tunesmith.running.journal.records import CacheRow
from tunesmith.running.steps.begun_work import expected
from tunesmith.running.store.store import Store


@dataclass(frozen=True)
class CachedResult:
    """What answers a step.

    Args:
        step: with the settings that made it.
        artifact: with its own producer and meta, whoever made equal bytes before.
        because: why `step` has other settings than were asked for; empty where it has not.
    """

    step: PlannedStep
    artifact: Artifact
    row: CacheRow
    because: str = ""

    def decision(self, asked: PlannedStep) -> Decision:
        """That it answers a step which asked for other settings."""
        return Decision(asked.name, f"taken from the cache with {changes(asked.settings, self.step.settings)}", self.because)


def changes(asked: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """The settings that differ, as a person reads it."""
    return ", ".join(f"{name}: {shown(asked.get(name))} -> {shown(value)}" for name, value in made.items() if asked.get(name) != value)


def key_of(step: PlannedStep, digests: Mapping[str, str]) -> str | None:
    """The step's cache key; None while a step that it reads has no digest in `digests`, or its environment is not resolved.

    Args:
        digests: by step: of its artifact; of a service, its key.
    """
    if any(source.step and not digests.get(source.step) for source in step.inputs.values()) or (step.recipe and not step.lock):
        return None
    return step_key(step, digests)


def find(journal: Journal, store: Store, step: PlannedStep, digests: Mapping[str, str]) -> CachedResult | None:
    """What answers a step, if it is there and whole: made with its settings, or with those that a remedy gave it after they had failed."""
    if (key := key_of(step, digests)) is None:
        return None
    if found := _answer(journal, store, key):
        return CachedResult(step, *found)
    if not (remedy := journal.remedied(key)):
        return None
    settings, reason = remedy
    fixed = dataclasses.replace(step, settings={**step.settings, **settings})
    answer = _answer(journal, store, key_of(fixed, digests) or "")
    because = f"the settings asked for failed: {reason}; --refresh tries them again"
    return CachedResult(fixed, *answer, because) if answer else None


def _answer(journal: Journal, store: Store, key: str) -> tuple[Artifact, CacheRow] | None:
    row = journal.cached(key)
    if row is None or store.problem(row.digest):
        return None
    artifact = store.get(row.digest)
    return (dataclasses.replace(artifact, producer=row.producer, meta=row.meta), row) if artifact is not None else None


def hits(plan: Plan, home: Path) -> dict[str, CachedResult | None]:
    """What answers each step of a plan but its services, by name."""
    if not (home / FILE).is_file():
        return {step.name: None for step in plan.steps}
    journal, store = Journal(home), Store(home)
    digests: dict[str, str] = {}
    found: dict[str, CachedResult | None] = {}
    try:
        for step in plan.steps:
            if step.verb.service:
                digests[step.name] = key_of(step, digests) or ""
                continue
            hit = found[step.name] = find(journal, store, step, digests)
            digests[step.name] = hit.artifact.digest if hit else ""
    finally:
        journal.close()
    return found


def lasted(plan: Plan, home: Path) -> dict[str, float]:
    """Seconds that the steps of a plan took the last time, of those that have run."""
    if not (home / FILE).is_file():
        return {}
    journal = Journal(home)
    try:
        return journal.lasted(plan.name, str(plan.path or ""))
    finally:
        journal.close()


def standing(plan: Plan, home: Path) -> tuple[dict[str, bool], list[Decision]]:
    """For every step of a plan whether a run would find it done, and what there is to say of that and of those that were begun. A service
    is if all that read it are.
    """
    answers = hits(plan, home)
    found = {name: hit is not None for name, hit in answers.items()}
    asked = {step.name: step for step in plan.steps}
    said = [hit.decision(asked[name]) for name, hit in answers.items() if hit and hit.because]
    if (home / FILE).is_file():
        journal = Journal(home)
        try:
            said += expected(journal, home, plan, {name: hit.artifact.digest for name, hit in answers.items() if hit})
        finally:
            journal.close()
    for step in plan.steps:
        if step.verb.service:
            readers = [other.name for other in plan.steps if any(source.step == step.name for source in other.inputs.values())]
            found[step.name] = bool(readers) and all(found.get(name, False) for name in readers)
    return found, said
