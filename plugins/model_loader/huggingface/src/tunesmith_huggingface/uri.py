"""`hf://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from tunesmith.errors import UserError

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
# A revision with slashes is written with %2F, but for the hub's own refs/pr/N and refs/convert/NAME. A few old repositories have no ORG.
_URI = re.compile(
    rf"hf://(?P<repo>{_PART}/{_PART}|{_PART}(?=@|$))(?:@(?P<revision>refs/(?:pr|convert)/[^/@\s]+|[^/@\s]+))?(?:/(?P<inside>[^\0\n]*))?"
)


@dataclass(frozen=True)
class HubURI:
    """`revision` is a branch, tag or commit, ``main`` where the URI names none; `inside` a path in the repository or empty."""

    repo: str
    revision: str = "main"
    inside: str = ""

    @classmethod
    def parse(cls, uri: str) -> HubURI:
        """Raises UserError TS-MODEL-003 if it is not such a URI."""
        match = _URI.fullmatch(uri)
        inside = (match["inside"] or "").strip("/") if match else ""
        revision = unquote(match["revision"] or "main") if match else ""
        if not match or ".." in [*inside.split("/"), *revision.split("/")] or not revision.isprintable():
            raise UserError(
                "TS-MODEL-003", f"`{uri}` is not a hub URI.",
                fix="Write hf://ORG/NAME[@REVISION][/FILE-OR-DIRECTORY], for example hf://Qwen/Qwen3-0.6B@main",
            )  # fmt: skip
        return cls(match["repo"], revision, inside)

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return re.fullmatch(r"[0-9a-f]{40}", self.revision) is not None

    def __str__(self) -> str:
        return f"hf://{self.repo}" + (f"@{self.revision}" if self.revision != "main" else "")
