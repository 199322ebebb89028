"""When the steps of a plan run: what beside what, and the longest way through it, by the rules that a run follows."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.resources import Resources
from tunesmith.planning.cache_keys import twins
from tunesmith.planning.placement.admission import Admission

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan, PlannedStep


class Waiting:
    """Steps that are not begun, those first that the plan has first; and whom each waits for.

    Args:
        plan: whose steps they are, in its order.
    """

    def __init__(self, plan: Plan) -> None:
        self._order, self._steps = plan.steps, {step.name: step for step in plan.steps}
        self._position = {step.name: number for number, step in enumerate(plan.steps)}
        self._missing = {name: set(waits) for name, waits in needs(plan).items()}
        self._readers: dict[str, list[str]] = {step.name: [] for step in plan.steps}
        for name, missing in self._missing.items():
            for need in missing:
                self._readers[need].append(name)
        ready = [self._position[name] for name, missing in self._missing.items() if not missing]  # in order, so a heap
        self._ready: dict[Any, list[int]] = {None: ready}  # None: not given yet; else by what they take
        self._refused: set[Any] = set()

    def ready(self) -> Iterator[PlannedStep]:
        """Those that wait for nobody. Each is taken out when it is given, and comes back by `put_back`."""
        self._refused = set()
        while heads := [(places[0], takes) for takes, places in self._ready.items() if places and takes not in self._refused]:
            place, takes = min(heads, key=lambda head: head[0])
            heapq.heappop(self._ready[takes])
            yield self._order[place]

    def put_back(self, step: PlannedStep) -> None:
        """There is no room for it now, nor for others that take the same: these are not given until the next time."""
        services = [service.name for service in services_of(step, self._steps)]
        takes = (step.placement.device, step.resources, *services)
        heapq.heappush(self._ready.setdefault(takes, []), self._position[step.name])
        self._refused.add(takes)

    def ended(self, name: str) -> None:
        """Who waited for this step does so no longer."""
        for reader in self._readers[name]:
            if name in self._missing[reader]:
                self._missing[reader].discard(name)
                if not self._missing[reader]:
                    heapq.heappush(self._ready[None], self._position[reader])


def needs(plan: Plan) -> dict[str, list[str]]:
    """The steps that must have ended before each can begin: what it reads, with all that a gate judges together with that, what it is to
    be after, and one that does the same work."""
    same, gated = twins(plan.steps), {gate.group for gate in plan.gates}
    group = {step.name: step.group for step in plan.steps}
    members: dict[str, list[str]] = {}
    for step in plan.steps:
        members.setdefault(step.group, []).append(step.name)
    found = {}
    for step in plan.steps:
        waits: list[str] = []
        for name in (*(source.step for source in step.inputs.values() if source.step), *step.after):
            waits += members[group[name]] if group[name] in gated - {step.group} else [name]
        found[step.name] = list(dict.fromkeys([*waits, *([same[step.name]] if step.name in same else [])]))
    return found


def services_of(step: PlannedStep, steps: Mapping[str, PlannedStep]) -> list[PlannedStep]:
    """The services that a step reads."""
    read = [steps[source.step] for source in step.inputs.values() if source.step]
    return [other for other in read if other.verb.service]


def wanted(step: PlannedStep, services: Sequence[PlannedStep], up: Collection[str]) -> dict[str, tuple[str, Resources]]:
    """What a step takes of the machine, with the services that it reads; of those that are `up`, only what it makes them do.
    One that runs elsewhere takes nothing."""
    if step.executor:
        return {}
    cores = max((step.resources.cores, *(service.resources.cores for service in services)))
    found = {step.name: (step.placement.device, dataclasses.replace(step.resources, cores=cores))}
    for service in services:
        if service.name not in up:
            found[service.name] = (service.placement.device, dataclasses.replace(service.resources, cores=0))
    return found


@dataclass(frozen=True)
class Schedule:
    """
    Args:
        beside: step -> those that run at the same time for a while.
        longest: the steps of the longest way, which no machine could shorten; those that are done already left out.
        seconds: of that way, as far as they are known.
        unknown: its steps of which nobody knows how long they take.
    """

    beside: Mapping[str, tuple[str, ...]]
    longest: tuple[str, ...]
    seconds: float
    unknown: tuple[str, ...]


def schedule(plan: Plan, seconds: Mapping[str, float], done: Collection[str] = (), jobs: int = 0) -> Schedule:
    """Play a plan through.

    Args:
        seconds: by step, how long it took or is expected to; one of which nobody knows counts like the mean of the others.
        done: steps that are in the store already.
        jobs: steps at a time; 0: as the machine allows.
    """
    steps = {step.name: step for step in plan.steps}
    ahead = [step for step in plan.steps if not step.verb.service and step.name not in done]
    known = [seconds[step.name] for step in ahead if step.name in seconds]
    usual = sum(known) / len(known) if known else 1.0
    return Schedule(
        _beside(plan, steps, {step.name: seconds.get(step.name, usual) for step in ahead}, jobs), *_longest(plan, seconds, done)
    )


def _beside(plan: Plan, steps: Mapping[str, PlannedStep], lasts: Mapping[str, float], jobs: int) -> dict[str, tuple[str, ...]]:
    waiting, admission, same = Waiting(plan), Admission(plan.machine, jobs), twins(plan.steps)
    left = {step.name: 0 for step in plan.steps if step.verb.service}
    for step in plan.steps:
        for service in services_of(step, steps):
            left[service.name] += step.name in lasts
    up: set[str] = set()
    now, running, beside = 0.0, [], {name: set[str]() for name in lasts}
    while True:
        for step in waiting.ready():
            if step.name not in lasts or step.name in same:
                waiting.ended(step.name)
                continue
            services = services_of(step, steps)
            if not admission.admit(step.name, wanted(step, services, up)):
                waiting.put_back(step)
                continue
            up |= {service.name for service in services}
            for _, _, other in running:
                beside[step.name].add(other)
                beside[other].add(step.name)
            heapq.heappush(running, (now + lasts[step.name], len(running), step.name))
        if not running:
            position = {name: number for number, name in enumerate(steps)}
            return {name: tuple(sorted(others, key=position.__getitem__)) for name, others in beside.items() if others}
        now, _, name = heapq.heappop(running)
        admission.release(name)
        waiting.ended(name)
        for service in services_of(steps[name], steps):
            left[service.name] -= 1
            if not left[service.name]:
                admission.release(service.name)
                up.discard(service.name)


def _longest(plan: Plan, seconds: Mapping[str, float], done: Collection[str]) -> tuple[tuple[str, ...], float, tuple[str, ...]]:
    """The way that takes longest; among ways of the same known time, that of more steps."""
    same, waits = twins(plan.steps), needs(plan)
    best: dict[str, tuple[float, int, str]] = {}  # step -> time and steps up to its end, and the one before it
    for step in plan.steps:
        counts = not step.verb.service and step.name not in done and step.name not in same
        time, many, before = max(((*best[name][:2], name) for name in waits[step.name]), default=(0.0, 0, ""))
        best[step.name] = (time + counts * seconds.get(step.name, 0.0), many + counts, before)
    name = max(best, key=lambda step: best[step][:2], default="")
    total, way = best[name][0] if name else 0.0, []
    while name:
        way.append(name)
        name = best[name][2]
    steps = {step.name: step for step in plan.steps}
    way = [one for one in reversed(way) if not steps[one].verb.service and one not in done and one not in same]
    return tuple(way), total, tuple(one for one in way if one not in seconds)
