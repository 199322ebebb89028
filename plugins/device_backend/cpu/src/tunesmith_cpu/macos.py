"""macOS: sysctl and vm_stat."""

from __future__ import annotations

import platform
from collections.abc import Callable

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_devices.macos_memory import memory
from tunesmith_devices.vendor_tools import ask

# sysctl names of Apple silicon (hw.optional.arm) and Intel Macs. Processors there know bfloat16, the system's matrix library does not.
FEATURES = {"hw.optional.arm.FEAT_BF16": "", "hw.optional.arm.FEAT_FP16": "float16", "hw.optional.avx2_0": ""}


def processor(run: Callable[..., str] = ask) -> Device:
    """The processor.

    Args:
        run: what runs a command and gives its output; another one in tests.
    """

    def number(name: str) -> int:
        text = run("sysctl", "-n", name).strip()
        return int(text) if text.isdigit() else 0

    total, free = memory(run)
    features = [name for name in FEATURES if number(name) == 1]
    dtypes = dict.fromkeys(["float32", *(FEATURES[name] for name in features if FEATURES[name])])
    name = run("sysctl", "-n", "machdep.cpu.brand_string").strip() or platform.machine()
    facts = {"threads": number("hw.logicalcpu") or 1, "instructions": [feature.rpartition(".")[2] for feature in features]}
    return Device(name, total, free, number("hw.physicalcpu") or 1, tuple(dtypes), facts)
