"""The device backend: asks Linux or macOS."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_cpu import linux, macos
from tunesmith_devices import with_outcome


class Cpu:
    """One device: this machine's processor, as far as this process may use it."""

    def probe(self) -> Sequence[Device]:
        return with_outcome("cpu", [_processor()])


def _processor() -> Device:
    if sys.platform.startswith("linux"):
        return linux.processor()
    return macos.processor() if sys.platform == "darwin" else elsewhere()


def elsewhere() -> Device:
    """What Python itself knows, on other systems."""
    cores = os.cpu_count() or 1
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        memory, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory, free = _windows_memory()
    return Device(platform.processor() or platform.machine(), memory, free, cores, facts={"threads": cores})


def _windows_memory() -> tuple[int, int]:
    import ctypes

    class Status(ctypes.Structure):  # MEMORYSTATUSEX of sysinfoapi.h
        _fields_ = (("length", ctypes.c_ulong), ("load", ctypes.c_ulong), *((name, ctypes.c_ulonglong) for name in (
            "total", "available", "total_page", "available_page", "total_virtual", "available_virtual", "extended",
        )))  # fmt: skip

    status = Status(length=ctypes.sizeof(Status))
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))  # type: ignore[attr-defined]
    return status.total, status.available
