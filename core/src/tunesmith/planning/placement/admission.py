"""Which steps may run beside each other on a machine, and on which devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.contracts.resources import Resources
from tunesmith.planning.placement.machine import Machine

SHARE = 0.9  # of a memory that steps beside each other may take by their estimates, which are not exact
LIGHT = Resources()  # what a step takes that computes nothing, such as a download
LIGHT_STEPS = 4  # of these at a time


@dataclass(frozen=True)
class Allocation:
    """What one step was given: the numbers of its devices on a backend."""

    resources: Resources
    device: str = ""
    numbers: tuple[int, ...] = ()


class Admission:
    """Of steps to the machine of one plan. One that is alone is always admitted: what is too large for the machine was said by the plan.

    Args:
        jobs: how many at the same time; 0: as memory, devices and cores allow.
    """

    def __init__(self, machine: Machine, jobs: int = 0) -> None:
        self._machine, self._jobs = machine, jobs
        self._inside: dict[str, Allocation] = {}
        self._steps: set[str] = set()

    def admit(self, name: str, wanted: Mapping[str, tuple[str, Resources]]) -> bool:
        """Allocate what a step takes, with the services that it needs and that are not there yet; False where that is not free.

        Args:
            wanted: the step's and the services' names -> device backend and resources.
        """
        if self._jobs and len(self._steps) >= self._jobs:
            return False
        before, alone = dict(self._inside), all(self._takes(other) == LIGHT for other in self._steps)
        for one, (device, resources) in wanted.items():
            given = self._allocate(device, resources, alone)
            if given is None:
                self._inside = before
                return False
            self._inside[one] = given
        self._steps.add(name)
        return True

    def holds(self, name: str) -> bool:
        return name in self._inside

    def release(self, name: str) -> None:
        """Of a step or a service; nothing where it is not in."""
        self._inside.pop(name, None)
        self._steps.discard(name)

    def variables(self, name: str, visible: Mapping[str, str], here: Mapping[str, str]) -> dict[str, str]:
        """Those that give a step's processes its devices alone; none where it has all of them.

        Args:
            visible: by device backend, the variable.
            here: the host's variables: what the user gave is shared out.
        """
        own = self._inside.get(name)
        if own is None or own.device not in visible or len(own.numbers) in (0, len(self._machine.devices[own.device])):
            return {}
        variable = visible[own.device]
        shown = [part.strip() for part in here.get(variable, "").split(",") if part.strip()]
        return {variable: ",".join(shown[number] if number < len(shown) else str(number) for number in own.numbers)}

    def _takes(self, name: str) -> Resources:
        return self._inside[name].resources if name in self._inside else LIGHT

    def _allocate(self, device: str, wanted: Resources, alone: bool) -> Allocation | None:
        machine, inside = self._machine, self._inside.values()
        if wanted == LIGHT and sum(step in self._inside and self._takes(step) == LIGHT for step in self._steps) >= LIGHT_STEPS:
            return None
        if not alone:
            cores = sum(one.resources.cores for one in inside)
            memory = sum(one.resources.memory for one in inside)
            if wanted.cores and cores + wanted.cores > machine.cores:
                return None
            if wanted.memory and memory + wanted.memory > machine.memory * SHARE:
                return None
        if not wanted.devices:
            return Allocation(wanted)
        sizes = machine.devices.get(device, ())
        taken = [sum(p.resources.device_memory for p in inside if p.device == device and n in p.numbers) for n in range(len(sizes))]
        fits = [n for n, size in enumerate(sizes) if not taken[n] or taken[n] + wanted.device_memory <= size * SHARE]
        numbers = sorted(sorted(fits, key=lambda number: taken[number])[: wanted.devices])
        if len(numbers) < wanted.devices:
            if not alone:
                return None
            numbers = list(range(min(wanted.devices, len(sizes))))
        return Allocation(wanted, device, tuple(numbers))
