"""The device backend: what xpu-smi says of the GPUs that this process may use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_devices import with_outcome
from tunesmith_devices.vendor_tools import ask, chosen

VISIBLE = "ZE_AFFINITY_MASK"  # numbers of devices; `0.1`, a tile of one, is none that is known here
PHYSICAL = "physical"  # a virtual function is a part of a device


class Xpu:
    """The visible GPUs."""

    def __init__(self, ask: Callable[..., str] = ask, environment: Mapping[str, str] = os.environ) -> None:
        self._ask, self._environment = ask, environment

    def probe(self) -> Sequence[Device]:
        listed = [str(one.get("device_id", "")) for one in self._listed()]
        numbers = chosen(listed, self._environment.get(VISIBLE))
        found = [_device(number, self._json("-d", number)) for number in numbers]
        return with_outcome("xpu", [one for one in found if one.memory], remind=True)

    def _listed(self) -> Iterator[Mapping[str, Any]]:
        devices = self._json().get("device_list", ())
        yield from (one for one in devices if one.get("device_function_type", PHYSICAL) == PHYSICAL)

    def _json(self, *words: str) -> Mapping[str, Any]:
        try:
            found = json.loads(self._ask("xpu-smi", "discovery", *words, "-j"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def _device(number: str, told: Mapping[str, Any]) -> Device:
    memory, free = (_count(told, f"memory_{what}_size_byte") for what in ("physical", "free"))
    cores = _count(told, "number_of_slices") * _count(told, "number_of_sub_slices_per_slice")
    facts = {"index": number, "driver": str(told.get("driver_version", ""))}
    name = str(told.get("device_name", "")) or "Intel GPU"
    return Device(name, memory, min(free, memory), max(1, cores), ("float32", "float16", "bfloat16"), facts)


def _count(told: Mapping[str, Any], field: str) -> int:
    text = str(told.get(field, ""))
    return int(text) if text.isdigit() else 0
