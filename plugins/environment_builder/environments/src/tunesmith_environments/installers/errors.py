"""What uv and pip say when they fail, as errors that a person can use."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.errors import TunesmithError
from tunesmith_environments.disk_space import no_space
from tunesmith_environments.installers.process import Ended

_SPACE = re.compile(r"No space left on device|os error 28|Errno 28|Disk quota exceeded")
_RIGHTS = re.compile(r"Permission denied|Read-only file system|os error 13|os error 30|Errno 13|Errno 30")
_HASH = re.compile(r"Hash mismatch for `([^`]+)`|DO NOT MATCH THE HASHES")

_OFFLINE = re.compile(r"network was disabled|not found in the cache|\bno-index\b|Network connectivity is disabled")
_NETWORK = re.compile(
    r"error sending request|client error \(Connect\)|dns error|NewConnectionError|Failed to establish a new connection|"
    r"Could not fetch URL|ProxyError|ReadTimeout|ConnectTimeout|SSLError|Request failed after|Connection (?:refused|reset)|"
    r"Temporary failure in name resolution"
)
_CONFLICT = re.compile(r"ResolutionImpossible|conflicting dependencies| depends? on ")
_NOWHERE = (
    re.compile(r"Because (\S+) was not found in the package registry"),
    re.compile(r"No matching distribution found for ([^\s(]+)"),
    re.compile(r"there (?:is|are) no versions? of (\S+)"),
    re.compile(r"only .*?of (\S+) (?:is|are) available"),
    re.compile(r"(\S+) has no wheels with a matching"),
    re.compile(r"Because (\S+) was not found in the (?:cache|provided package locations)"),
)
_UNKNOWN = re.compile(r"was not found in the (?:package registry|cache|provided package locations)|No matching distribution found")
_PIP_HASHED = re.compile(r"^\s+(\S+==\S+) from ", re.M)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = re.compile(
    r"\s*(?:Looking in|Using Python|Collecting|Processing|Downloading|Downloaded|WARNING: (?:Location|Retrying)|\[notice\]|File )"
)


def failed(installer: str, ended: Ended, recipe: Recipe | None, offline: bool) -> TunesmithError:
    """The coded error for an installer that ended with a status other than 0."""
    text = _COLOURS.sub("", ended.text)
    who = ", ".join(recipe.plugins) if recipe and recipe.plugins else "the step"
    why = quoted(text)
    if _SPACE.search(text):
        return no_space(None, why)
    if mismatch := _HASH.search(text):
        return _hash_mismatch(mismatch[1] or ", ".join(_PIP_HASHED.findall(text)) or "a package", why)
    nowhere = next((found[1].strip("`,") for pattern in _NOWHERE if (found := pattern.search(text))), "")
    if offline and (_OFFLINE.search(text) or nowhere):
        return _not_here(nowhere or "a package", who, why)
    if _NETWORK.search(text):
        return TunesmithError(
            "TS-ENV-001", f"The environment of {who} can't be made: no package index answers", why=why,
            fix="Check the network, the proxy and pip's index settings (`pip config list`). Without a network, take the wheels along: "
                "`tunesmith env bundle`, then --offline.",
        )  # fmt: skip
    if _CONFLICT.search(text) and not _UNKNOWN.search(text):
        return TunesmithError(
            "TS-ENV-004", f"The requirements of {who} can't be met together", why=why,
            fix="Use them in different steps: each has an isolated environment then. Or take another version of one of these plugins.",
            user=True,
        )  # fmt: skip
    if nowhere:
        return TunesmithError(
            "TS-ENV-003", f"No package index has `{nowhere}`, which {who} asks for", why=why,
            fix="See that pip's index and find-links settings name the index that has it (`pip config list`), and that it exists for this "
                "Python and system.",
            user=True,
        )  # fmt: skip
    if _RIGHTS.search(text):
        return not_writable(why)
    return TunesmithError(
        "TS-ENV-009", f"{installer} could not make the environment of {who}", why=why or f"it ended with status {ended.status}",
        fix="What it says is above; a package without a wheel needs a compiler. `tunesmith env build` tries again and shows more.",
    )  # fmt: skip


def not_writable(why: str) -> TunesmithError:
    return TunesmithError(
        "TS-ENV-012", "The environments' directory can't be written", why=why,
        fix="Give yourself the right to write there, or set [environments] directory in tunesmith.toml.",
    )  # fmt: skip


def _hash_mismatch(package: str, why: str) -> TunesmithError:
    return TunesmithError(
        "TS-ENV-006", f"{package} is not the file that was locked", why=why,
        fix="If its publisher has replaced it and you trust that: `tunesmith env build --upgrade`. If not, somebody has changed it.",
    )  # fmt: skip


def _not_here(package: str, who: str, why: str) -> TunesmithError:
    return TunesmithError(
        "TS-ENV-008", f"Offline, and `{package}` is not here, which {who} needs", why=why,
        fix="On a machine with a network: `tunesmith env bundle DIRECTORY`; then name that folder in [environments] find_links here.",
        user=True,
    )  # fmt: skip


def quoted(text: str, lines: int = 6) -> str:
    """The lines of an installer's output that say what is wrong, as one."""
    said = [line for line in _telling(text)]
    return " ".join(said[-lines:])[:1200]


def last_line(text: str) -> str:
    return next(iter(list(_telling(text))[-1:]), "")


def _telling(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip() and not _NOISE.match(line):
            yield " ".join(line.split())
