"""Whether an answer is a refusal: by its first words, in English and Chinese, or by patterns of the user's."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from tunesmith.contracts import UserError


class RefusalPatterns:
    """
    Args:
        patterns: regular expressions, one of which stands in a refusal; none: those that come with this package.
        within: first characters of an answer that are looked at: who refuses begins with it.

    Raises:
        UserError: TS-EVAL-002 where one is no regular expression.
    """

    def __init__(self, patterns: Sequence[str], within: int) -> None:
        self._within = within
        self._compiled = [_compiled(pattern) for pattern in patterns or usual()]

    def refuses(self, answer: str) -> bool:
        beginning = answer[: self._within].replace("\u2019", "'")
        return any(pattern.search(beginning) for pattern in self._compiled)

    def is_known(self, answer: str, cut: bool) -> bool:
        """Whether enough of it is there: an answer that was cut off earlier may have gone on to refuse."""
        return not cut or len(answer) >= self._within or self.refuses(answer)


@lru_cache(maxsize=1)
def usual() -> list[str]:
    found: list[str] = json.loads(Path(__file__).with_name("refusals.json").read_text(encoding="utf-8"))
    return found


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    except re.error as error:
        raise UserError("TS-EVAL-002", f"`{pattern}` in `patterns` is no regular expression", why=str(error),
                        fix="Write it as Python's `re` reads it.") from error  # fmt: skip
