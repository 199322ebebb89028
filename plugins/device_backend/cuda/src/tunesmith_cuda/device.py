"""The device backend: what nvidia-smi says of the GPUs that this process may use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_cuda.device_catalog import figures
from tunesmith_cuda.dtypes import types_of
from tunesmith_devices import with_outcome

TIMEOUT = 10.0  # seconds; a driver that hangs must not hang the plan
FIELDS = ("index", "uuid", "name", "memory.total", "memory.free", "driver_version")
CAPABILITY = "compute_cap"  # unknown to drivers before 510, which then refuse the whole query


def ask(fields: Sequence[str]) -> str | None:
    """nvidia-smi's answer as CSV without a header; empty when it refuses, None when it is not there or hangs."""
    command = ["nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else ""


class Cuda:
    """The visible GPUs."""

    def __init__(self, ask: Callable[[Sequence[str]], str | None] = ask, environment: Mapping[str, str] = os.environ) -> None:
        self._ask, self._environment = ask, environment

    def probe(self) -> Sequence[Device]:
        fields = (*FIELDS, CAPABILITY)
        text = self._ask(fields)
        if text is not None and not text.strip():
            fields = FIELDS
            text = self._ask(fields)
        lines = [[cell.strip() for cell in line.split(",")] for line in (text or "").splitlines()]
        rows = [dict(zip(fields, cells, strict=True)) for cells in lines if len(cells) == len(fields) and cells[0].isdigit()]
        found = [device(row) for row in visible(rows, self._environment.get("CUDA_VISIBLE_DEVICES"))]
        host = _memory()["MemTotal"] // len(found) if found else 0
        told = [replace(one, facts={**one.facts, **figures(one.name), "node": len(found), "host": host}) for one in found]
        return with_outcome("cuda", told)


def visible(rows: list[dict[str, str]], chosen: str | None) -> list[dict[str, str]]:
    """Those that ``CUDA_VISIBLE_DEVICES`` leaves, in its order; like CUDA it stops at the first entry that names none."""
    if chosen is None:
        return rows
    left = []
    for entry in filter(None, (entry.strip() for entry in chosen.split(","))):
        row = next((row for row in rows if entry == row["index"] or (not entry.isdigit() and row["uuid"].startswith(entry))), None)
        if row is None:
            break
        left.append(row)
    return left


def device(row: Mapping[str, str]) -> Device:
    """One GPU."""
    memory, free = _mebibytes(row["memory.total"]), _mebibytes(row["memory.free"])
    if not memory:  # memory shared with the processor: nvidia-smi says "[N/A]"
        memory, free = (_memory()[name] for name in ("MemTotal", "MemAvailable"))
    capability = row.get(CAPABILITY, "")
    version = tuple(int(part) for part in capability.split(".") if part.isdigit())
    facts = {"index": row["index"], "uuid": row["uuid"], "driver": row["driver_version"], "compute_capability": capability}
    return Device(row["name"], memory, free, 0, types_of(version), facts)  # nvidia-smi does not tell the multiprocessors


def _mebibytes(text: str) -> int:
    return int(text) << 20 if text.isdigit() else 0


def _memory() -> Mapping[str, int]:
    """Bytes of the host's memory, by the kernel's names; nothing where it does not say."""
    try:
        with open("/proc/meminfo") as lines:
            known = {name: int(rest.split()[0]) << 10 for name, _, rest in (line.partition(":") for line in lines)}
    except OSError:
        known = {}
    return {"MemTotal": 0, "MemAvailable": 0, **known}
