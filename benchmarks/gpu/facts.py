"""What the figures are of: the device, its driver, and the versions of what computes."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import torch
from device import Device, versions


def facts(name: str) -> dict[str, Any]:
    """Raises what torch does where there is no such device."""
    device = Device(name)
    torch.zeros(1, device=device.torch)
    return {
        "device": device.title, "memory": device.memory, "dtypes": device.dtypes, "driver": _driver() if device.gpu else "",
        "versions": versions(),
    }  # fmt: skip


def _driver() -> str:
    if not shutil.which("nvidia-smi"):
        return ""
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip().splitlines()[0]
