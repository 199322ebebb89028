"""Rows as the tokens that a model would learn from: what ``report/tokens`` holds, which `tunesmith data preview` shows.

`FILE` has an object a row: ``{"row", "sequences": [{"name", "tokens", "texts", "labels", "turns": [{"role", "start", "stop"}], "doubts",
"media"}], "error"?}``, all by token but `doubts`, which are sentences; then one of statistics: ``{"rows", "broken", "lengths",
"max_length"}``. The verb that makes it reads a model and ``data``, has a slot ``objective``, and takes the settings ``rows`` (numbers from
1) and ``max_length``.
"""

from __future__ import annotations

FORMAT = "report/tokens"
FILE = "preview.jsonl"
