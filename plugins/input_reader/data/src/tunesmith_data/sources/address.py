"""What is an address of a dataset source, and whose it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tunesmith.contracts.kinds.input_reader import InstalledProvider
from tunesmith.contracts.untrusted_files import path_of
from tunesmith.errors import UserError, listed
from tunesmith.spelling import near

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.+-]*)://")


def is_address(text: str) -> bool:
    """Whether a scheme stands before it."""
    return _SCHEME.match(text) is not None


def source_of(text: str, installed: Mapping[str, InstalledProvider], base: Path) -> InstalledProvider | None:
    """Who reads an address or a directory; None for a path of a file.

    Raises:
        UserError: TS-DATA-087 where nobody does.
    """
    match = _SCHEME.match(text)
    if match is None:
        folders = [record for record in installed.values() if record.facts.get("folders")]
        return folders[0] if folders and path_of(text, base).is_dir() else None
    scheme = match[1].lower()
    schemes = {one: record for record in reversed(list(installed.values())) for one in record.facts.get("schemes", ())}
    found = schemes.get(scheme) or schemes.get(scheme.partition("+")[0])
    if found is None:
        meant = near(scheme, schemes)
        what = f"Did you mean {meant[0]}://?" if meant else f"Schemes: {listed(f'{one}://' for one in sorted(schemes))}."
        raise UserError("TS-DATA-087", f"no installed dataset source reads {text}", fix=f"{what} Or name a file.")
    return found
