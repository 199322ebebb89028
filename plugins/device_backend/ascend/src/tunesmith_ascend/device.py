"""The device backend: what npu-smi says of the NPUs that this process may use."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_ascend.device_catalog import types_of
from tunesmith_devices import with_outcome
from tunesmith_devices.vendor_tools import ask

VISIBLE = "ASCEND_RT_VISIBLE_DEVICES"  # logical numbers of chips
#: newer drivers have a column with the chip's physical number before its name
_CHIP = re.compile(r"^\s*(?P<npu>\d+)\s+(?P<chip>\d+)\s+(?P<logic>\d+)\s+(?:\d+\s+)?(?P<name>[A-Za-z].*?)\s*$", re.MULTILINE)
_FIELD = re.compile(r"^\s*(?P<name>[^:\n]+?)\s*:\s*(?P<value>\d+)\s*$", re.MULTILINE)


class Npu:
    """The visible NPUs."""

    def __init__(self, ask: Callable[..., str] = ask, environment: Mapping[str, str] = os.environ) -> None:
        self._ask, self._environment = ask, environment

    def probe(self) -> Sequence[Device]:
        return with_outcome("npu", [device for chip in self._visible() if (device := self._device(chip)).memory], remind=True)

    def _visible(self) -> Iterator[Mapping[str, str]]:
        chips = {found["logic"]: found.groupdict() for found in _CHIP.finditer(self._ask("npu-smi", "info", "-m"))}
        chosen = self._environment.get(VISIBLE)
        names = list(chips) if chosen is None else [name.strip() for name in chosen.split(",")]
        return (chips[name] for name in names if name in chips)

    def _device(self, chip: Mapping[str, str]) -> Device:
        told = self._ask("npu-smi", "info", "-t", "usages", "-i", chip["npu"], "-c", chip["chip"])
        fields = {found["name"]: int(found["value"]) for found in _FIELD.finditer(told)}
        memory = fields.get("HBM Capacity(MB)", 0) << 20
        free = memory * (100 - min(100, fields.get("HBM Usage Rate(%)", 0))) // 100
        return Device(chip["name"], memory, free, 0, types_of(chip["name"]), {"index": chip["logic"]})
