"""Ascend cards as data, for estimates on machines that are not here.

Their speed is not in it: Huawei's data sheets could not be read, and what others tell of the 910B differs by half. So estimates tell what
fits and what is sent, and no time.
"""

from __future__ import annotations

from typing import Any

SOURCE = "npu-smi tells 65536 MB of HBM; Atlas 800T A2: 8 in a node"
#: names without the letters of the last place (910B3) are those of all of them
CARDS: dict[str, dict[str, Any]] = {
    "910B": {
        "mib": 65536, "dtypes": ["float32", "float16", "bfloat16"], "also": ["Ascend 910B", "910B1", "910B2", "910B3"],
        "facts": {"node": 8, "source": SOURCE},
    },
    "910B4": {
        "mib": 32768, "dtypes": ["float32", "float16", "bfloat16"], "also": ["Ascend 910B4"], "facts": {"node": 8, "source": SOURCE},
    },
}  # fmt: skip


def types_of(name: str) -> tuple[str, ...]:
    """Types of numbers that a chip computes in natively: bfloat16 since the 910B."""
    return ("float32", "float16", *(("bfloat16",) if "910B" in name or "910_93" in name else ()))
