"""A picture or sound with a question and its answer, as a chat row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.errors import UserError
from tunesmith_data.api import Row, message
from tunesmith_messages.api import reference


def exchange(row: Mapping[str, Any], kind: str, question: str, answer: str) -> Row:
    """The media of the column `kind`, then the question; the answer is the assistant's.

    Raises:
        UserError: TS-DATA-020 for a question or an answer without text, TS-DATA-022 for a medium that can't be read.
    """
    for name, text in (("question", question), ("answer", answer)):
        if not text.strip():
            raise UserError("TS-DATA-020", f"the {name} is empty", why="There would be nothing to learn.", fix="Remove the row.")
    media = row[kind] if isinstance(row[kind], list) else [row[kind]]
    parts = [*(reference(kind, one) for one in media), {"type": "text", "text": question}]
    system = [message("system", row["system"])] if (row.get("system") or "").strip() else []
    return {"messages": [*system, message("user", parts), message("assistant", answer)]}
