"""1 where the completion is made of the tags that were asked for, as ``<think>...</think><answer>...</answer>``.

Else 0, or the share of the tags that stand right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tunesmith_rewards.rewards.settings import FormatSettings


class Format:
    def __init__(self, settings: FormatSettings) -> None:
        self.settings = settings

    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        at, right, outside = 0, 0, []
        for tag in self.settings.tags:
            opening, closing = f"<{tag}>", f"</{tag}>"
            once = completion.count(opening) == completion.count(closing) == 1
            start, end = completion.find(opening), completion.find(closing)
            if once and at <= start < end and completion[start + len(opening) : end].strip():
                right += 1
                outside.append(completion[at:start])
                at = end + len(closing)
        outside.append(completion[at:])
        if not self.settings.outside and re.search(r"\S", "".join(outside)):
            return 0.0
        if right == len(self.settings.tags):
            return 1.0
        return right / len(self.settings.tags) if self.settings.partial else 0.0
