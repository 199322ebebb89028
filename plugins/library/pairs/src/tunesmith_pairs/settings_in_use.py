"""Settings that only some losses read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from tunesmith.contracts import UserError


def refuse_unread(settings: Any, loss_types: Sequence[str], read_by: Mapping[str, Sequence[str]]) -> None:
    """
    Args:
        settings: an instance of the dataclass.
        loss_types: those that are trained with.
        read_by: setting -> the losses that read it; others are read by all.

    Raises:
        UserError: TS-TRAIN-093 when a setting is not left as it is and none of the losses reads it.
    """
    usual = {field.name: field.default for field in fields(settings)}
    for name, readers in read_by.items():
        given = getattr(settings, name)
        if given != usual[name] and not set(readers) & set(loss_types):
            raise UserError(
                "TS-TRAIN-093", f"`{name}: {given}` has no effect on `loss_type: {', '.join(loss_types)}`",
                why=f"It is read by {', '.join(f'`{reader}`' for reader in readers)}.",
                fix=f"Leave out `{name}`, or take one of these losses.",
            )  # fmt: skip
