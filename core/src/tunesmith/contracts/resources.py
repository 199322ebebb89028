"""What a step takes of the machine that it runs on, for as long as it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """Of all processes of a step together.

    Args:
        cores: of the processor.
        memory: bytes of the host's memory.
        devices: how many devices with memory of their own it computes on; 0: it computes on the host alone.
        device_memory: bytes of each of them.
        threads: that the libraries of its processes are given, each its share; 0: as many as they take by themselves.
    """

    cores: int = 0
    memory: float = 0.0
    devices: int = 0
    device_memory: float = 0.0
    threads: int = 0
