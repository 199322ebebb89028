"""Settings of the exporter `unpickle`."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class UnpickleSettings:
    allow: str = setting(
        help="which pickles may be read: `scanned`, those in which the scan finds nothing but tensors; or the SHA-256 of each file, with "
        "spaces between, which are scanned as well",
        pattern=r"^(scanned|[0-9a-f]{64}( [0-9a-f]{64})*)$",
        examples=("scanned", "0" * 64),
        effect={"scene": "files that are listed or not"},
    )
    without_network: bool = setting(
        True, "read them only where the process can be cut off from the network: Linux with user namespaces",
        effect={"scene": "a machine without namespaces"},
    )  # fmt: skip
