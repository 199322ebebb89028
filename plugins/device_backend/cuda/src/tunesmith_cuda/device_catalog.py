"""Cards as data, for estimates on machines that are not here and of the speed of those that are: `cards.json`, the most usual first.

Memory is in MiB as nvidia-smi tells it, and the rest as data sheets do: matrix operations of dense matrices in 10^12 a second, bandwidths
in 10^9 bytes a second, of links in one direction (``link_gb_s`` to others of its node, ``network_gb_s`` to other nodes, both for one card).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith_cuda.dtypes import types_of

FILE = Path(__file__).with_name("cards.json")
TERA, GIGA = 1e12, 1e9
#: of a card -> the same as a fact of a device, and its unit
FACTS = {
    "memory_gb_s": ("bandwidth", GIGA), "link_gb_s": ("link", GIGA), "network_gb_s": ("network", GIGA),
    "host_link_gb_s": ("host_link", GIGA), "host_gib": ("host", float(2**30)),
}  # fmt: skip


def catalogue() -> dict[str, dict[str, Any]]:
    """The fact `cards` of the device backend."""
    return {name: _card(entry) for name, entry in json.loads(FILE.read_text("utf-8")).items()}


def figures(name: str) -> Mapping[str, Any]:
    """Facts of the card that its driver calls so; nothing of one that is not known. What memory its host has is seen there."""
    found = next((card for title, card in catalogue().items() if name in (title, *card.get("also", ()))), {})
    return {key: value for key, value in found.get("facts", {}).items() if key not in ("host", "node")}


def _card(entry: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {to: entry[key] * unit for key, (to, unit) in FACTS.items() if key in entry}
    facts |= {key: entry[key] for key in ("node", "source") if key in entry}
    if "tflops" in entry:
        facts["flops"] = {dtype: count * TERA for dtype, count in entry["tflops"].items()}
    known = {"mib": entry["mib"], "dtypes": entry.get("dtypes") or list(types_of(tuple(entry["capability"])))}
    return known | {key: value for key, value in (("also", entry.get("also")), ("facts", facts)) if value}
