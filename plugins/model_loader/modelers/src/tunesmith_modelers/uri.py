"""`modelers://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY]`."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tunesmith.errors import UserError
from tunesmith_hubs import HubAddress

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_URI = re.compile(rf"modelers://(?P<repo>{_PART}/{_PART})(?:@(?P<revision>[^/@\s]+))?(?:/(?P<inside>[^\0\n]*))?")

LATEST = "main"  #: the branch that is meant where none is named


def parse(uri: str) -> HubAddress:
    """Raises UserError TS-MODEL-003 if it is not such a URI."""
    match = _URI.fullmatch(uri)
    inside = (match["inside"] or "").strip("/") if match else ""
    revision = unquote(match["revision"] or LATEST) if match else ""
    if not match or ".." in [*inside.split("/"), *revision.split("/")] or not revision.isprintable():
        raise UserError(
            "TS-MODEL-003", f"`{uri}` is not a Modelers URI.",
            fix="Write modelers://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY], for example modelers://Baichuan/Baichuan2_7b_chat_pt@main",
        )  # fmt: skip
    return HubAddress("modelers", match["repo"], revision, inside, LATEST)
