"""Pairs as rows without pairs: the chosen answer is a good one, the rejected one a bad one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_data.api import Row
from tunesmith_preference.api import Preference


class Pairs:
    """``{"prompt"?, "chosen", "rejected"}`` -> two rows of ``dataset/unpaired``."""

    def convert(self, row: Mapping[str, Any]) -> Sequence[Row]:
        pair = Preference().convert(row)
        shared = {key: pair[key] for key in ("messages", "tools") if key in pair}
        return [{**shared, "answer": pair[name], "label": name == "chosen"} for name in ("chosen", "rejected")]
