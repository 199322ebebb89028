"""What steps that run beside each other leave of a machine: who is let in, and on which devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.contracts.resources import Resources
from tunesmith.planning.placement.machine import Machine

SHARE = 0.9  # of a memory that steps beside each other may take by their estimates, which are not exact
LIGHT = 4  # steps at a time that take nothing, such as downloads


@dataclass(frozen=True)
class Place:
    """What one step was given: the numbers of its devices on a backend."""

    resources: Resources
    device: str = ""
    numbers: tuple[int, ...] = ()


class Room:
    """The machine of one plan. A step that is alone is always let in: what is too large for the machine was said by the plan.

    Args:
        jobs: how many may be in it at the same time; 0: as many as there is room for.
    """

    def __init__(self, machine: Machine, jobs: int = 0) -> None:
        self._machine, self._jobs = machine, jobs
        self._inside: dict[str, Place] = {}
        self._steps: set[str] = set()

    def enter(self, name: str, wanted: Mapping[str, tuple[str, Resources]]) -> bool:
        """Let a step in with the services that it needs and that are not there yet, if there is room for all of them.

        Args:
            wanted: the step's and the services' names -> device backend and resources.
        """
        if self._jobs and len(self._steps) >= self._jobs:
            return False
        before = dict(self._inside)
        for one, (device, resources) in wanted.items():
            place = self._place(device, resources, alone=not self._steps)
            if place is None:
                self._inside = before
                return False
            self._inside[one] = place
        self._steps.add(name)
        return True

    def holds(self, name: str) -> bool:
        return name in self._inside

    def leave(self, name: str) -> None:
        """Of a step or a service; nothing where it is not in."""
        self._inside.pop(name, None)
        self._steps.discard(name)

    def variables(self, name: str, visible: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
        """Those that give a step's processes its devices alone; none where it has all of them.

        Args:
            visible: by device backend, the variable.
            here: the host's variables: what the user gave is shared out.
        """
        place = self._inside.get(name)
        if place is None or place.device not in visible or len(place.numbers) in (0, len(self._machine.devices[place.device])):
            return {}
        variable = visible[place.device]
        given = [part.strip() for part in here.get(variable, "").split(",") if part.strip()]
        return {variable: ",".join(given[number] if number < len(given) else str(number) for number in place.numbers)}

    def _place(self, device: str, wanted: Resources, alone: bool) -> Place | None:
        machine, inside = self._machine, self._inside.values()
        if not alone:
            if wanted == Resources() and sum(place.resources == Resources() for place in inside) >= LIGHT:
                return None
            cores = sum(place.resources.cores for place in inside)
            memory = sum(place.resources.memory for place in inside)
            if wanted.cores and cores + wanted.cores > machine.cores:
                return None
            if wanted.memory and memory + wanted.memory > machine.memory * SHARE:
                return None
        if not wanted.devices:
            return Place(wanted)
        sizes = machine.devices.get(device, ())
        taken = [sum(p.resources.device_memory for p in inside if p.device == device and n in p.numbers) for n in range(len(sizes))]
        fits = [n for n, size in enumerate(sizes) if not taken[n] or taken[n] + wanted.device_memory <= size * SHARE]
        numbers = sorted(sorted(fits, key=lambda number: taken[number])[: wanted.devices])
        if len(numbers) < wanted.devices:
            if not alone:
                return None
            numbers = list(range(min(wanted.devices, len(sizes))))
        return Place(wanted, device, tuple(numbers))
