"""Cards of one's own: a JSON file, read before the catalogues of the device backends.

By name, as in the fact `cards` of a backend (see `tunesmith.contracts.kinds.device_backend`), and whose they are::

    {"Loom 9": {"backend": "loom", "mib": 65536, "dtypes": ["float32", "bfloat16"],
                "facts": {"flops": {"bfloat16": 148e12}, "bandwidth": 4e12, "link": 450e9, "node": 8}}}
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith_cli.options.json_catalog import read_json_catalog

_TEXTS = {"type": "array", "items": {"type": "string"}}
_AMOUNT = {"type": "number", "exclusiveMinimum": 0}
_AMOUNTS = {name: _AMOUNT for name in ("bandwidth", "link", "network", "host_link", "host")}
_FACTS: dict[str, Any] = {
    "flops": {"type": "object", "additionalProperties": _AMOUNT}, "node": {"type": "integer", "minimum": 1}, "source": {"type": "string"},
}  # fmt: skip
_CARD = {
    "type": "object", "required": ["backend", "mib"], "additionalProperties": False,
    "properties": {
        "backend": {"type": "string"}, "mib": {"type": "integer", "minimum": 1}, "dtypes": _TEXTS, "also": _TEXTS,
        "facts": {"type": "object", "additionalProperties": False, "properties": _FACTS | _AMOUNTS},
    },
}  # fmt: skip
SCHEMA = {"type": "object", "additionalProperties": _CARD}


def read_cards(file: Path) -> dict[str, Any]:
    """
    Raises:
        UserError: TS-CLI-002 for a file that can't be read, or holds something else.
    """
    return dict(
        read_json_catalog(
            file, SCHEMA, named=f"--cards {file}", kind="catalogue of cards", code="TS-CLI-002", fix="docs/parallel.md shows one."
        )
    )
