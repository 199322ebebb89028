"""What a step left that was begun by other means than it now has, and not finished: found, and taken over.

Means are the choices in slots whose providers are interchangeable (see `Slot`): they say how a step is done, not what it makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import shown
from tunesmith.isolation.locks import FileLock
from tunesmith.planning.cache_keys import step_key, task_key
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.running.journal.journal import Journal


@dataclass(frozen=True)
class BegunWork:
    """A work directory that holds something, by the key of the step that began it.

    Args:
        means: by which it was begun, as a person reads it.
    """

    key: str
    means: str

    def decision(self, step: PlannedStep) -> Decision:
        """That a step goes on with it."""
        return Decision(
            step.name, f"go on with what {self.means} has begun",
            f"it was not finished, and differs from {means_of(step)} in how the step is done, not in what it makes, but for what is left "
            "to chance (what a dropout above 0 leaves out)",
        )  # fmt: skip


def means_of(step: PlannedStep) -> str:
    """The choices that say how a step is done, with the settings that are not the default."""
    return ", ".join(_words(step, slot.name) for slot in step.verb.slots if slot.interchangeable and slot.name in step.choices)


def begun(journal: Journal, home: Path, plan: Plan, step: PlannedStep, digests: Mapping[str, str]) -> Iterator[BegunWork]:
    """What others have begun of the same task and left, the newest first; nothing where several steps of the plan do that task, each by
    means of its own.

    Args:
        digests: as for `step_key`.
    """
    task, means = _task(step, digests), means_of(step)
    others = [other for other in plan.steps if _task(other, digests) == task and means_of(other) != means]
    if task and not others:
        for key, theirs in journal.begun(task):
            if theirs != means and (home / "work" / key).exists():
                yield BegunWork(key, theirs)


def take_over(journal: Journal, home: Path, found: BegunWork, key: str) -> str:
    """Make it what the step of `key`, whose task is noted, goes on with, with its series; empty, or why that can't be."""
    work = home / "work"
    lock = FileLock(work / f"{found.key}.lock")
    if not lock.try_acquire():
        return f"process {lock.holder()} works on it"
    try:
        (work / found.key).rename(work / key)
    except FileNotFoundError:
        return "another run was quicker"
    finally:
        lock.release()
    journal.hand_series_on(found.key, key)
    journal.end_task(found.key)
    return ""


def expected(journal: Journal, home: Path, plan: Plan, digests: Mapping[str, str]) -> Iterator[Decision]:
    """For the steps of a plan that a run would do by going on with what others have begun: that it would."""
    for step in plan.steps:
        if step.name not in digests and _task(step, digests):
            key = _key(step, digests)
            remedied = journal.remedied(key) is not None
            own = bool(key) and (remedied or (home / "work" / key).exists())
            found = None if own else next(begun(journal, home, plan, step, digests), None)
            if found:
                yield found.decision(step)


def _words(step: PlannedStep, slot: str) -> str:
    choice = step.choices[slot]
    usual = {name: schema.get("default") for name, schema in choice.record.schema.get("properties", {}).items()}
    settings = (f"{name}={shown(value)}" for name, value in choice.settings.items() if value != usual.get(name))
    return " ".join((choice.record.name, *settings))


def _ready(step: PlannedStep, digests: Mapping[str, str]) -> bool:
    return all(digests.get(source.step) for source in step.inputs.values() if source.step)


def _task(step: PlannedStep, digests: Mapping[str, str]) -> str:
    return task_key(step, digests) if _ready(step, digests) else ""


def _key(step: PlannedStep, digests: Mapping[str, str]) -> str:
    """Empty where it is not known yet."""
    return step_key(step, digests) if _ready(step, digests) and not (step.recipe and not step.lock) else ""
