"""This machine in facts: devices with their speed, disk, and which plugins could work on it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith_recommend.machine.measurement import measured

if TYPE_CHECKING:
    from tunesmith.config import Config
    from tunesmith.contracts import Device
    from tunesmith.plugins.registry import Registry


def probe(config: Config, registry: Registry, *, named: tuple[str, Sequence[Device]] | None = None, anew: bool = False) -> dict[str, Any]:
    """All of it as plain data.

    Args:
        named: a backend and its devices that are not here.
        anew: measure again what is remembered.
    """
    from tunesmith.planning.placement.devices import probe as devices_here

    here = devices_here(registry)
    found = measured(registry, dict([named]) if named else here, config.cache, anew=anew)
    kinds: dict[str, int] = {}
    for plugin in registry.plugins:
        for record in plugin.providers if plugin.state == "active" else ():
            kinds[record.kind] = kinds.get(record.kind, 0) + 1
    return {
        "platform": platform.platform(), "processors": os.cpu_count(), "here": named is None,
        "devices": {name: [asdict(device) for device in devices] for name, devices in found.devices.items() if devices},
        "disk": {"home": _disk(config.home), "cache": _disk(config.cache)},
        "providers": kinds,
        "remarks": [*found.remarks, *(() if named else here.warnings)],
    }  # fmt: skip


def _disk(path: Path) -> Mapping[str, Any]:
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    return {"path": str(path), "free": shutil.disk_usage(there).free}
