"""`hf://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY]`."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tunesmith.errors import UserError
from tunesmith_hubs import HubAddress

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
# A revision with slashes is written with %2F, but for the hub's own refs/pr/N and refs/convert/NAME. A few old repositories have no ORG.
_URI = re.compile(
    rf"hf://(?P<repo>{_PART}/{_PART}|{_PART}(?=@|$))(?:@(?P<revision>refs/(?:pr|convert)/[^/@\s]+|[^/@\s]+))?(?:/(?P<inside>[^\0\n]*))?"
)


def parse(uri: str) -> HubAddress:
    """Raises UserError TS-MODEL-003 if it is not such a URI."""
    match = _URI.fullmatch(uri)
    inside = (match["inside"] or "").strip("/") if match else ""
    revision = unquote(match["revision"] or "main") if match else ""
    if not match or ".." in [*inside.split("/"), *revision.split("/")] or not revision.isprintable():
        raise UserError(
            "TS-MODEL-003", f"`{uri}` is not a hub URI.",
            fix="Write hf://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY], for example hf://Qwen/Qwen3-0.6B@main",
        )  # fmt: skip
    return HubAddress("hf", match["repo"], revision, inside)
