"""macOS: sysctl and vm_stat."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Callable

from tunesmith.contracts.kinds.device_backend import Device

# sysctl names of Apple silicon (hw.optional.arm) and Intel Macs. Processors there know bfloat16, the system's matrix library does not.
FEATURES = {"hw.optional.arm.FEAT_BF16": "", "hw.optional.arm.FEAT_FP16": "float16", "hw.optional.avx2_0": ""}


def _run(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def processor(run: Callable[..., str] = _run) -> Device:
    """The processor.

    Args:
        run: what runs a command and gives its output; another one in tests.
    """

    def number(name: str) -> int:
        text = run("sysctl", "-n", name)
        return int(text) if text.isdigit() else 0

    total = number("hw.memsize")
    pages = {name: int(count) for name, count in re.findall(r"^Pages ([\w ]+):\s+(\d+)\.", run("vm_stat"), re.M)}
    size = re.search(r"page size of (\d+) bytes", run("vm_stat"))
    free = sum(pages.get(name, 0) for name in ("free", "inactive", "speculative", "purgeable")) * (int(size[1]) if size else 4096)
    features = [name for name in FEATURES if number(name) == 1]
    dtypes = dict.fromkeys(["float32", *(FEATURES[name] for name in features if FEATURES[name])])
    name = run("sysctl", "-n", "machdep.cpu.brand_string") or platform.machine()
    facts = {"threads": number("hw.logicalcpu") or 1, "instructions": [feature.rpartition(".")[2] for feature in features]}
    return Device(name, total, min(free, total), number("hw.physicalcpu") or 1, tuple(dtypes), facts)
