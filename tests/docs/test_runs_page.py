"""The page about runs says what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tunesmith import RunView

ROOT = Path(__file__).parents[2]


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("tunesmith_events_page", ROOT / "tools" / "events_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


def test_the_table_of_events_is_current():
    assert TOOL.PAGE.read_text(encoding="utf-8") == TOOL.page(), "run tools/events_page.py"


def test_the_page_tells_all_that_a_view_of_a_run_has():
    table = re.search(r"<!-- view -->\n(.*?)<!-- /view -->", TOOL.PAGE.read_text(encoding="utf-8"), re.S)[1]
    told = {name.partition("(")[0] for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    public = {name for name in (*vars(RunView), "row", "home") if not name.startswith("_")}
    assert told == public


def test_its_example_writes_what_it_says(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", TOOL.PAGE.read_text(encoding="utf-8"), re.S)
    here = {}
    exec(code, here)
    step = SimpleNamespace(seconds=2.0, metrics={"loss": 0.5})
    row = SimpleNamespace(pipeline="support-bot", state="done")
    here["run_finished"](SimpleNamespace(row=row, steps={"tune": step}, directory=tmp_path))
    assert (tmp_path / "summary.txt").read_text() == "support-bot: done\ntune 2.0 s {'loss': 0.5}"
