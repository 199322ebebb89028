"""JSON that stands as a text in a row, as tables with one type a column keep it."""

from __future__ import annotations

from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api.json_text import loads


def read_json(text: str, where: str, wanted: str) -> Any:
    """The value that a text holds.

    Args:
        wanted: how to write it, for the error.

    Raises:
        UserError: TS-DATA-025 when it is no JSON.
    """
    try:
        return loads(text)
    except ValueError as error:
        raise UserError("TS-DATA-025", f"`{where}` is a text but not JSON", why=f"{error}, in {text[:60]!r}.", fix=wanted) from None
