"""Which type each tensor of a quantized GGUF file has: data, in mixtures.json; standard library only.

K-quants have blocks of 256 columns; a matrix that they do not divide gets the fallback of its type, with blocks of 32, as in llama.cpp.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

K_BLOCK, BLOCK = 256, 32
#: bits of a weight with its scales
BITS = {
    "Q3_K": 3.4375, "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "Q4_0": 4.5, "Q4_1": 5.0, "Q5_0": 5.5, "Q5_1": 6.0, "Q8_0": 8.5, "F16": 16.0,
}  # fmt: skip
_LAYER = re.compile(r"blk\.(\d+)\.(\w+)\.weight")
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"


@functools.cache
def table() -> Mapping[str, Any]:
    return json.loads(resources.files(__package__).joinpath("mixtures.json").read_text("utf-8"))


def names() -> tuple[str, ...]:
    """Of the mixtures, from the fewest bits."""
    return tuple(sorted(table()["mixtures"], key=lambda name: BITS[table()["mixtures"][name]["base"]]))


def type_of(mixture: str, tensor: str, columns: int, layers: int, *, tied: bool) -> str:
    """The type of a matrix.

    Args:
        tensor: its name in the file; `columns`: of a row.
        tied: whether the embedding is the output head, too.
    """
    said = table()["mixtures"][mixture]
    type = said["base"]
    if tensor == _OUTPUT or (tied and tensor == _EMBEDDING):
        type = table()["output"].get(type, table()["output"][""])
    elif found := _LAYER.fullmatch(tensor):
        rules = said.get("tensors", {}).get(found[2], ())
        type = next((rule["type"] for rule in rules if _holds(rule["layers"], int(found[1]), layers)), type)
    if type.endswith("_K") and columns % K_BLOCK:
        type = table()["fallback"][type]
    return "F16" if columns % BLOCK else type


def _holds(which: str, layer: int, layers: int) -> bool:
    if which == "some":  # the first and the last eighth, and each third between
        return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
    _, _, count = which.partition(" ")
    if "/" in count:
        return layer < layers // int(count.rpartition("/")[2])
    return layer < int(count or layers)
