"""The machine that steps share, and what each step takes of it: by its estimate, unless the pipeline says (`resources`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.contracts.resources import Resources
from tunesmith.plugins.records import ProviderRecord

if TYPE_CHECKING:
    from tunesmith.planning.plan import PlannedStep

VISIBLE = "visible"  #: the fact of a device backend


@dataclass(frozen=True)
class Machine:
    """
    Args:
        cores: of the processor that a step may use.
        memory: bytes of the host's memory.
        devices: bytes of each device that has memory of its own, by device backend.
        visible: by device backend the variable that gives a process some of its devices alone.
    """

    cores: int = 1
    memory: float = 0.0
    devices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    visible: Mapping[str, str] = field(default_factory=dict)


def machine_of(found: Mapping[str, Sequence[Device]], backends: Mapping[str, ProviderRecord]) -> Machine:
    """The machine with these devices.

    Args:
        backends: the device backends by name. One without the fact `visible` computes in the host's memory.
    """
    visible = {name: str(backends[name].facts[VISIBLE]) for name in found if name in backends and VISIBLE in backends[name].facts}
    hosts = [device.memory for name, devices in found.items() if name not in visible for device in devices]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    devices = {name: tuple(float(device.memory) for device in found[name]) for name in visible}
    return Machine(cores, float(max(hosts, default=0)), devices, visible)


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
    return replace(found if step.verb.computes else Resources(), **asked, threads=int(asked.get("cores", 0)))
