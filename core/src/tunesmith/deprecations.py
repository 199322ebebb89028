"""Everything that is on its way out, in one place, each with the version that removes it (law L7).

The course of a deprecation: it warns for at least one minor version, then it is an error that says what to do, then it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Kind -> the tunesmith version that stops taking the contract version before the current one. An entry for each kind whose
#: `tunesmith.contracts.provider.API` is above 1.
PREVIOUS_API: Mapping[str, str] = {}


def previous_api(distribution: str, kind: str, api: int, caller: str = "tunesmith-core", until: str = "") -> str:
    """The warning for a plugin that speaks the version before the current one of a kind's contract.

    Args:
        caller: the distribution that brings the kind.
        until: its version that stops taking the contract before; of the kernel's own kinds, what `PREVIOUS_API` says.
    """
    until = until or PREVIOUS_API.get(kind, "") or "in its next minor version"
    return f"{distribution} speaks version {api} of the {kind} contract; {caller} {until} stops taking it. Update {distribution}."
