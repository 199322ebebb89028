"""A row's media columns and the placeholders in its texts that stand for them.

``{"images": ["a.png"], ...}`` with the text ``<image>What is this?`` is an image part followed by a text part. Where a row has no
such column (or an empty one) the placeholder is ordinary text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Part

KINDS = ("image", "audio", "video")


def reference(kind: str, value: Any) -> Part:
    """A part that points at a medium.

    Args:
        value: a URL (``data:`` included), a path, or a mapping that holds either (``url``, ``path``, or base64 ``data`` with ``format``).

    Raises:
        UserError: TS-DATA-022 when none of these is there.
    """
    if isinstance(value, Mapping):
        if value.get("data"):
            value = f"data:{kind}/{value.get('format') or 'octet-stream'};base64,{value['data']}"
        else:
            value = value.get("url") or value.get("path")
    if not isinstance(value, str) or not value:
        what = f"A part of the type `{kind}` has neither path nor URL"
        raise UserError("TS-DATA-022", what, fix='Write it as a string or as {"path": ...}.')
    is_url = re.match(r"data:|[A-Za-z][\w+.-]*://", value)
    return {"type": kind, "url": value} if is_url else {"type": kind, "path": value}


class Media:
    """The media of one row, each handed out once, in order."""

    def __init__(self, row: Mapping[str, Any] | None = None) -> None:
        self._left = {kind: deque(self._column(row or {}, kind)) for kind in KINDS}
        here = [kind for kind in KINDS if self._left[kind]]
        self._placeholder = re.compile("<(" + "|".join(here) + ")>") if here else None

    @staticmethod
    def _column(row: Mapping[str, Any], kind: str) -> list[Part]:
        found: list[Part] = []
        for name in (kind, kind + "s"):
            value = row.get(name) or []
            found += [reference(kind, item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        return found

    def split(self, text: str) -> list[Part]:
        """The parts of a text: its placeholders give way to the next media."""
        if self._placeholder is None:
            return [{"type": "text", "text": text}]
        parts: list[Part] = []
        for index, piece in enumerate(self._placeholder.split(text)):
            if index % 2:
                parts.append(self.take(piece))
            elif piece:
                parts.append({"type": "text", "text": piece})
        return parts or [{"type": "text", "text": ""}]

    def take(self, kind: str) -> Part:
        """The next medium of a kind.

        Raises:
            UserError: TS-DATA-022 when there is none left.
        """
        if not self._left[kind]:
            raise UserError(
                "TS-DATA-022", f"The texts stand for more `{kind}` parts than the column `{kind}s` holds",
                fix=f"Write one `<{kind}>` for each entry of `{kind}s`.",
            )  # fmt: skip
        return self._left[kind].popleft()

    def copy(self) -> Media:
        """What is left, to be handed out a second time: where a row tells one conversation twice, as those of pairs do."""
        made = Media()
        made._left = {kind: deque(left) for kind, left in self._left.items()}
        made._placeholder = self._placeholder
        return made

    def finish(self, *copies: Media) -> None:
        """Check that every medium was used, here or in one of the copies.

        Raises:
            UserError: TS-DATA-022 when one was not.
        """
        for kind in KINDS:
            left = min((media._left[kind] for media in (self, *copies)), key=len)
            if left:
                raise UserError(
                    "TS-DATA-022", f"{len(left)} of the row's `{kind}s` stand nowhere in its texts",
                    why="Where in the conversation they belong can't be guessed.", fix=f"Write `<{kind}>` where each of them belongs.",
                )  # fmt: skip
