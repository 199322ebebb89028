"""The device backend: what macOS says of its GPU, which has no memory of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_devices import with_outcome
from tunesmith_devices.macos_memory import memory
from tunesmith_devices.vendor_tools import ask

DISPLAYS = ("system_profiler", "-json", "SPDisplaysDataType")
APPLE = "sppci_vendor_Apple"
BFLOAT16_FROM = 14  # release of macOS


class Mps:
    """One device, where the system is macOS on Apple silicon."""

    def __init__(self, ask: Callable[..., str] = ask, system: str = sys.platform) -> None:
        self._ask, self._system = ask, system

    def probe(self) -> Sequence[Device]:
        if self._system != "darwin" or self._number("hw.optional.arm64") != 1:
            return []
        total, free = memory(self._ask)
        bound = self._number("iogpu.wired_limit_mb") << 20  # 0 where nobody has set one
        if not total:
            return []
        name, cores = self._gpu()
        release = self._ask("sw_vers", "-productVersion").strip()
        first = release.partition(".")[0]
        dtypes = ("float32", "float16", *(("bfloat16",) if first.isdigit() and int(first) >= BFLOAT16_FROM else ()))
        limit = min(total, bound or total)
        facts = {"macos": release, "driver": release, "shared_memory": True}
        return with_outcome("mps", [Device(name, limit, min(free, limit), cores, dtypes, facts)], remind=True)

    def _number(self, name: str) -> int:
        text = self._ask("sysctl", "-n", name).strip()
        return int(text) if text.isdigit() else 0

    def _gpu(self) -> tuple[str, int]:
        """Its name and number of cores; the processor's name where the system does not tell."""
        try:
            displays = json.loads(self._ask(*DISPLAYS))["SPDisplaysDataType"]
            gpu = next(one for one in displays if one.get("spdisplays_vendor") == APPLE)
            return str(gpu["sppci_model"]), max(1, int(gpu.get("sppci_cores", 1)))
        except (ValueError, KeyError, TypeError, StopIteration):
            return self._ask("sysctl", "-n", "machdep.cpu.brand_string").strip() or "Apple GPU", 1
