"""What self-tests found, remembered by device and version of torch, and what it leaves of a device. Standard library only.

Remembered in the folder of caches: `doctor --self-test` is run once on a machine, and again after an upgrade of torch.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from tunesmith.contracts.cache_files import read_note, write_note
from tunesmith.contracts.kinds.device_backend import Device

NOTE = "device-self-test.json"
SUITE = 1  #: counted up when operators or limits change: outcomes of another suite don't count
BASE = "float32"  #: without it nothing is computed on a device
NAMED = 3  # cases that a remark names


def with_outcome(backend: str, devices: Sequence[Device], *, remind: bool = False) -> list[Device]:
    """The devices, less what the self-test found to be wrong: types of numbers, or all of a device.

    Args:
        remind: remark that it was not run with this torch, for devices that few have tried.
    """
    installed = _torch()
    known = read_note(_file()) or {}
    return [_left(backend, device, installed, known.get(_key(backend, device, installed)), remind) for device in devices]


def remember(backend: str, device: Device, torch_version: str, cases: Sequence[Mapping[str, Any]]) -> None:
    """Keep the outcome of a whole self-test of one device."""
    wrong: dict[str, list[str]] = {}
    for case in cases:
        if not case["passed"]:
            wrong.setdefault(case["dtype"], []).append(f"{case['operator']} ({case['shape']}): {case['why']}")
    known = read_note(_file())
    known = dict(known) if isinstance(known, Mapping) else {}
    known[_key(backend, device, torch_version)] = {"wrong": wrong, "cases": len(cases)}
    write_note(_file(), known)


def _left(backend: str, device: Device, installed: str, outcome: Mapping[str, Any] | None, remind: bool) -> Device:
    if outcome is None:
        said = f"what {device.name} computes was not tried with torch {installed}: `tunesmith doctor --self-test` tries it"
        return replace(device, remarks=(*device.remarks, said)) if remind and installed else device
    wrong: Mapping[str, list[str]] = outcome["wrong"]
    facts = {**device.facts, "self_test": {"torch": installed, "cases": outcome["cases"], "wrong": sum(map(len, wrong.values()))}}
    if not wrong:
        return replace(device, facts=facts)
    kept = tuple(name for name in device.dtypes if name not in wrong)
    remarks = [_remark(backend, device, installed, dtype, found) for dtype, found in wrong.items()]
    refused = [name for name in device.dtypes if name in wrong]
    return replace(
        device, dtypes=kept or (BASE,), facts={**facts, "refused_dtypes": refused}, remarks=(*device.remarks, *remarks),
        usable=device.usable and BASE not in wrong,
    )  # fmt: skip


def _remark(backend: str, device: Device, installed: str, dtype: str, found: Sequence[str]) -> str:
    what = "nothing is computed on it" if dtype == BASE else f"{dtype} is not used on it"
    cases = "; ".join(found[:NAMED]) + (f"; and {len(found) - NAMED} more" if len(found) > NAMED else "")
    return f"`{backend}`: {device.name} failed its self-test in {dtype} with torch {installed}, so {what}: {cases}"


def _key(backend: str, device: Device, torch_version: str) -> str:
    driver = str(device.facts.get("driver", ""))
    return json.dumps([platform.node(), platform.release(), backend, device.name, driver, torch_version.partition("+")[0], SUITE])


def _torch() -> str:
    """The version of torch in this environment; empty if it is not there."""
    try:
        return metadata.version("torch").partition("+")[0]
    except metadata.PackageNotFoundError:
        return ""


def _file() -> Path:
    chosen = os.environ.get("TUNESMITH_CACHE")
    return (Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunesmith") / NOTE
