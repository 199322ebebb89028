"""What a step takes of the machine: by its estimate, unless the pipeline says (`resources`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunesmith.contracts.resources import Resources
from tunesmith.planning.placement.machine import Machine
from tunesmith.planning.plan import PlannedStep


def resources_of(step: PlannedStep, machine: Machine, asked: Mapping[str, Any]) -> Resources:
    """What a step takes. One that computes and of which nobody knows what it needs takes all; one that does not compute takes nothing.

    Args:
        asked: what the pipeline says of it, which counts more.
    """
    ranks, known = step.placement.processes, step.estimate is not None and step.estimate.memory > 0
    each, host = (step.estimate.memory, step.estimate.host) if step.estimate and known else (0.0, 0.0)
    if held := machine.devices.get(step.placement.device, ()):
        sharing = -(-ranks // len(held))
        found = Resources(min(ranks, machine.cores), host * ranks, min(ranks, len(held)), each * sharing if known else min(held))
    else:
        found = Resources(machine.cores, each * ranks if known else machine.memory)
    if step.executor:  # what is asked for there: as much as is known
        found = replace(found, cores=ranks, memory=found.memory * known, device_memory=found.device_memory * known)
    return replace(found if step.verb.computes else Resources(), **asked, threads=int(asked.get("cores", 0)))
