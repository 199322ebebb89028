"""The device backend: what rocm-smi says of the GPUs that this process may use."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tunesmith.contracts.kinds.device_backend import Device
from tunesmith_devices import with_outcome
from tunesmith_devices.vendor_tools import ask, chosen

COMMAND = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--showdriverversion", "--json")
#: in the order in which the runtime reads them; each counts what the one before has left
VISIBLE = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
#: chips with matrix instructions for bfloat16: CDNA from the MI100 on, RDNA 3 and 4
_BFLOAT16 = re.compile(r"gfx(908|90a|94\w|95\w|11\w\w|12\w\w)")


class Rocm:
    """The visible GPUs."""

    def __init__(self, ask: Callable[..., str] = ask, environment: Mapping[str, str] = os.environ) -> None:
        self._ask, self._environment = ask, environment

    def probe(self) -> Sequence[Device]:
        told = _cards(self._ask(*COMMAND))
        system = told.pop("system", {})
        driver = str(system.get("driver version", ""))
        cards = [told[name] for name in sorted(told, key=lambda name: int(name.removeprefix("card")))]
        found = [one for number, card in enumerate(cards) if (one := _device(number, card, driver)).memory]
        for variable in (VISIBLE[0], VISIBLE[1] if VISIBLE[1] in self._environment else VISIBLE[2]):
            names = [str(number) for number in range(len(found))]
            found = [found[int(name)] for name in chosen(names, self._environment.get(variable))]
        return with_outcome("rocm", found, remind=True)


def _cards(text: str) -> dict[str, dict[str, Any]]:
    """By card, its fields with names in small letters, which differ between releases; warnings may stand before the JSON."""
    try:
        found = json.loads(text[text.index("{") :])
    except ValueError:
        return {}
    return {
        name: {key.lower(): value for key, value in fields.items()}
        for name, fields in found.items()
        if isinstance(fields, dict) and re.fullmatch(r"card\d+|system", name)
    }


def _device(number: int, card: Mapping[str, Any], driver: str) -> Device:
    memory, used = (_bytes(card, f"vram total {what}memory (b)") for what in ("", "used "))
    chip = str(card.get("gfx version", ""))
    name = next(
        (str(card[key]) for key in ("card series", "device name", "card model") if card.get(key, "N/A") != "N/A"), chip or "AMD GPU"
    )
    dtypes = ("float32", "float16", *(("bfloat16",) if _BFLOAT16.fullmatch(chip) else ()))
    return Device(name, memory, max(0, memory - used), 1, dtypes, {"index": str(number), "driver": driver, "chip": chip})


def _bytes(card: Mapping[str, Any], field: str) -> int:
    text = str(card.get(field, ""))
    return int(text) if text.isdigit() else 0
