"""The table of events in docs/runs.md says what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_events_is_current():
    spec = importlib.util.spec_from_file_location("tunesmith_events_page", ROOT / "tools" / "events_page.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run tools/events_page.py"
