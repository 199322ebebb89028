"""Linux: /proc, and the limits of the control groups (cgroups) that the process is in."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_cpu import cgroup

# instruction sets worth showing, and the dtype that each computes in (x86 names first, then Arm's)
INSTRUCTIONS = {
    "avx2": "", "avx512f": "", "avx512_vnni": "", "amx_int8": "", "sve": "", "sve2": "", "i8mm": "",
    "avx512_bf16": "bfloat16", "amx_bf16": "bfloat16", "bf16": "bfloat16", "svebf16": "bfloat16",
    "avx512_fp16": "float16", "amx_fp16": "float16", "asimdhp": "float16",
}  # fmt: skip


def processor(root: Path = Path("/")) -> Device:
    """The processor.

    Args:
        root: where `proc` and `sys` are; another one in tests.
    """
    allowed = os.sched_getaffinity(0) if root == Path("/") else None
    blocks = _cpuinfo(root, allowed)
    first = blocks[0] if blocks else {}
    flags = set((first.get("flags") or first.get("Features") or "").split())
    instructions = [name for name in INSTRUCTIONS if name in flags]
    dtypes = dict.fromkeys(["float32", *(INSTRUCTIONS[name] for name in instructions if INSTRUCTIONS[name])])
    total, free = memory(root)
    cores, threads = _cores(blocks), len(blocks) or os.cpu_count() or 1
    quota = cgroup.processors(root)
    if quota is not None:
        cores, threads = min(cores, max(1, math.floor(quota))), min(threads, max(1, math.ceil(quota)))
    name = first.get("model name") or first.get("Model") or platform.machine()
    return Device(name, total, free, cores, tuple(dtypes), {"threads": threads, "instructions": instructions})


def memory(root: Path = Path("/")) -> tuple[int, int]:
    """Bytes that a process may use in all, and now: the machine's, or its control group's if that is less."""
    lines = (root / "proc/meminfo").read_text().splitlines()
    known = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines) if rest.split()}
    total, free = known["MemTotal"], known.get("MemAvailable", known.get("MemFree", 0))
    for limit, used in cgroup.memory(root):
        total, free = min(total, limit), min(free, max(0, limit - used))
    return total, free


def _cpuinfo(root: Path, allowed: set[int] | None) -> list[dict[str, str]]:
    """A mapping per logical processor that this process may run on."""
    blocks = []
    for text in (root / "proc/cpuinfo").read_text().split("\n\n"):
        pairs = (line.partition(":") for line in text.splitlines())
        block = {name.strip(): value.strip() for name, _, value in pairs}
        if "processor" in block and (allowed is None or int(block["processor"]) in allowed):
            blocks.append(block)
    return blocks


def _cores(blocks: list[dict[str, str]]) -> int:
    """Physical cores; where the system doesn't say which threads share one (Arm, some virtual machines), each counts."""
    places = {(block.get("physical id", "0"), block.get("core id", block["processor"])) for block in blocks}
    return len(places) or os.cpu_count() or 1
