"""The most memory that training had: what estimates of memory are held against."""

from __future__ import annotations

import sys

import torch


def peak_memory(device: torch.device) -> float:
    """Bytes at the peak, of this process: on an accelerator what torch's allocator had reserved of it, without the driver's context; on a
    processor resident memory as the operating system counts it, pages of mapped files included. 0 where nobody tells."""
    if device.type != "cpu":
        library = getattr(torch, device.type, None)
        return float(library.max_memory_reserved(device)) if hasattr(library, "max_memory_reserved") else 0.0
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return float(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, LookupError, ValueError):
        return _of_usage()


def _of_usage() -> float:
    """Where there is no /proc. Linux counts into it what the process had that started this one, others do not."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)
