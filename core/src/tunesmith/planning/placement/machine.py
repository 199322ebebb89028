"""The machine that steps share."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith.plugins.records import ProviderRecord

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
