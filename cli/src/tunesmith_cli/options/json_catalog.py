"""A catalogue of one's own: a JSON file, held against a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.settings import problems
from tunesmith.contracts.untrusted_files import open_regular
from tunesmith.errors import UserError


def read_json_catalog(file: Path, schema: Mapping[str, Any], *, named: str, kind: str, code: str, fix: str) -> Any:
    """What it holds.

    Args:
        named: how errors name the file: ``--cards cards.json``.
        kind: what it should be: ``catalogue of cards``.

    Raises:
        UserError: `code`, when it can't be read, or holds something else.
    """
    try:
        with open_regular(file) as read:
            found = json.loads(read.read())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(code, f"{named} can't be read as a {kind}: {why}", fix=fix) from None
    wrong = next((f"`{path}` {sentence}" for path, sentence in problems(schema, found)), "")
    if wrong:
        raise UserError(code, f"{named} is no {kind}: {wrong}", fix=fix)
    return found
