"""What a reward reads from a row: a column that has to be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError


def column(row: Mapping[str, Any], name: str) -> Any:
    """The value of a column.

    Raises:
        UserError: TS-REWARD-004 where the row does not have it, or has null there.
    """
    if (value := row.get(name)) is None:
        has = ", ".join(f"`{key}`" for key in row) or "none"
        raise UserError(
            "TS-REWARD-004", f"the row has no `{name}`", why=f"It has: {has}.", fix="Set the reward's `column` to one that is there."
        )
    return value
