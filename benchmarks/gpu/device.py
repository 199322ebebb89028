"""The device that is tried, and what it is held against."""

from __future__ import annotations

import gc
import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from tunesmith.contracts import Placement

#: Products of dense bfloat16 matrices summed in float32, operations a second, as NVIDIA's data sheets have them (float16 for T4 and V100).
#: A longer name goes before a shorter one.
DATA_SHEETS = {
    "H100 PCIe": 756e12, "H100 NVL": 835e12, "H100": 989e12, "H200": 989e12, "H800": 989e12, "GH200": 989e12, "H20": 148e12,
    "B200": 2250e12,
    "A100": 312e12, "A800": 312e12, "A30": 165e12, "A10G": 70e12, "A10": 125e12, "A40": 150e12, "L40S": 362e12, "L40": 181e12, "L4": 121e12,
    "RTX 4090": 165e12, "RTX 3090": 71e12, "T4": 65e12, "V100": 125e12,
}  # fmt: skip


class Device:
    """Args:
    name: as torch has it: ``cuda``, ``cuda:1``, ``cpu``.
    """

    def __init__(self, name: str) -> None:
        self.torch = torch.device(name)
        self.gpu = self.torch.type == "cuda"
        if self.gpu and self.torch.index is None:
            self.torch = torch.device("cuda", 0)
        self._before = 0
        if self.gpu:
            torch.cuda.set_device(self.torch)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """What it computes in natively."""
        if not self.gpu:
            return ("float32", "bfloat16")
        from tunesmith_cuda.dtypes import types_of

        return types_of(torch.cuda.get_device_capability(self.torch))

    @property
    def compute(self) -> str:
        """The type that a training would compute in."""
        return "bfloat16" if "bfloat16" in self.dtypes else "float32"

    @property
    def placement(self) -> Placement:
        return Placement(device=self.torch.type, torch=str(self.torch), dtypes=self.dtypes)

    @property
    def memory(self) -> int:
        """Bytes."""
        if self.gpu:
            return torch.cuda.get_device_properties(self.torch).total_memory
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    @property
    def title(self) -> str:
        return torch.cuda.get_device_name(self.torch) if self.gpu else f"{platform.processor() or platform.machine()}, a processor"

    def settle(self) -> None:
        """Wait until it has done what it was told."""
        if self.gpu:
            torch.cuda.synchronize(self.torch)

    def forget_peak(self) -> None:
        """Free what is unused; from here on the peak counts."""
        gc.collect()
        if self.gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.torch)
            self._before = torch.cuda.memory_allocated(self.torch)
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        """Bytes at most since then: what torch has allocated more on a GPU, what is resident of the whole process elsewhere."""
        if self.gpu:
            return torch.cuda.max_memory_allocated(self.torch) - self._before
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))

    def seconds(self, call: Callable[[], Any], *, times: int, warm: int = 2) -> float:
        """Of one call: the median of `times`, after `warm` that don't count."""
        taken = []
        for number in range(warm + times):
            self.settle()
            started = time.perf_counter()
            call()
            self.settle()
            if number >= warm:
                taken.append(time.perf_counter() - started)
        return sorted(taken)[len(taken) // 2]

    def most(self, dtype: str, size: int) -> tuple[float, str]:
        """Operations a second that it can do at most in products of matrices, and who says so."""
        sheet = next((peak for name, peak in DATA_SHEETS.items() if re.search(rf"\b{name}\b", self.title)), 0.0)
        if sheet and dtype != "float32":
            return sheet, "data sheet, dense"
        one, other = (torch.randn(size, size, device=self.torch).to(getattr(torch, dtype)) for _ in range(2))
        return 2 * size**3 / self.seconds(lambda: one @ other, times=5), f"measured, {size} x {size} matrices"


def versions() -> dict[str, str]:
    """Of what the figures depend on; empty where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("torch", "transformers", "peft", "accelerate", "bitsandbytes", "flash-attn", "triton"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found | {"cuda": torch.version.cuda or ""}
