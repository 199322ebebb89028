"""Variables of the host's whose names say that they hold a token, a key or a password: kept from processes that run plugins' code.

A worker gets those that a provider of its step declares. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

PATTERNS = (
    "*TOKEN", "*_PAT", "*APIKEY", "*API_KEY", "*ACCESS_KEY*", "*PRIVATE_KEY*", "*SECRET*", "*PASSWORD*", "*PASSWD", "*CREDENTIAL*",
    "AWS_*", "AZURE_*",
)  # fmt: skip


def withheld(environment: Mapping[str, str], needed: Iterable[str] = ()) -> tuple[str, ...]:
    """The variables that a process does not get.

    Args:
        needed: names or patterns (``*`` and ``?``) of those that it does.
    """
    needed = tuple(needed)
    return tuple(name for name in environment if _matches(name.upper(), PATTERNS) and not _matches(name, needed))


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
