"""Which number type to compute in. Standard library only: the planner's estimate asks it as well."""

from __future__ import annotations

import platform
from pathlib import Path

#: What Linux calls bfloat16 arithmetic among a processor's features (x86, then Arm).
_FEATURES = ("avx512_bf16", "amx_bf16", "bf16")


def native_bfloat16(device: str) -> bool:
    """Whether `device` (torch's name for it) multiplies bfloat16 matrices faster than float32 ones."""
    if device.partition(":")[0] != "cpu":
        return True
    if platform.system() == "Darwin":
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    features = next((set(line.split()) for line in lines if line.lower().startswith(("flags", "features"))), set())
    return any(feature in features for feature in _FEATURES)


def choose(precision: str, device: str) -> tuple[str, str]:
    """``float32`` or ``bfloat16`` for the setting `precision`, and why."""
    if precision != "auto":
        return precision, "asked for by the setting `precision`"
    if native_bfloat16(device):
        return "bfloat16", f"the {device} computes in it natively; what trains is kept in float32"
    return "float32", f"the {device} has no native bfloat16"
