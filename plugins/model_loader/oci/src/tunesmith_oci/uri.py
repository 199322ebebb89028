"""`oci://REGISTRY/NAME[:TAG][@sha256:DIGEST][//FILE-OR-DIRECTORY]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunesmith.errors import UserError
from tunesmith_hubs import HubAddress

LATEST = "latest"  #: the tag that is meant where none is named
_DIGEST = r"sha256:[0-9a-f]{64}"
# names, tags and digests as the distribution specification has them
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_URI = re.compile(
    rf"oci://(?P<repo>[A-Za-z0-9.-]+(?::\d+)?(?:/{_PART})+?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}))?(?:@(?P<digest>{_DIGEST}))?"
    r"(?://(?P<inside>[^\0\n]+))?"
)


@dataclass(frozen=True)
class OCIAddress(HubAddress):
    @property
    def pinned(self) -> bool:
        return re.fullmatch(_DIGEST, self.revision) is not None

    def __str__(self) -> str:
        mark = "@" if self.pinned else ":"
        return f"{self.scheme}://{self.repo}" + (f"{mark}{self.revision}" if self.revision != self.latest else "")


def parse(uri: str) -> OCIAddress:
    """Raises UserError TS-MODEL-003 if it is not such a URI."""
    match = _URI.fullmatch(uri)
    inside = (match["inside"] or "").strip("/") if match else ""
    if not match or ".." in inside.split("/"):
        raise UserError(
            "TS-MODEL-003", f"`{uri}` is not an address in a registry.",
            fix="Write oci://REGISTRY/NAME[:TAG][//FILE-OR-DIRECTORY], for example oci://ghcr.io/org/qwen3:0.6b",
        )  # fmt: skip
    return OCIAddress("oci", match["repo"], match["digest"] or match["tag"] or LATEST, inside, LATEST)
