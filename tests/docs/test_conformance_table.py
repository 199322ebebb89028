"""The page of the conformance kit names every check and every plugin, and its figures come from reports."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from tunesmith_sdk.conformance import catalog
from tunesmith_sdk.conformance.report.outcome import Outcome, Report

ROOT = Path(__file__).parents[2]


def _tool() -> Any:
    spec = importlib.util.spec_from_file_location("conformance_table", ROOT / "tools" / "conformance_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()
TEXT = TOOL.PAGE.read_text(encoding="utf-8")


def _part(name: str, text: str = TEXT) -> str:
    return next(found[2] for found in TOOL._MARKED.finditer(text) if found[1] == name)


def test_the_index_is_the_catalogue():
    assert _part("checks") == "".join(TOOL.index()), "run tools/conformance_table.py --none"
    assert {found[1] for found in re.finditer(r"^\| \[([\w.-]+)\]\(\1\.md\)", TEXT, re.M)} == {*catalog.load()}


def test_the_table_has_a_row_for_every_plugin():
    assert list(TOOL.rows_of(TEXT)) == list(TOOL.plugins()), "run tools/conformance_table.py --none"


def _report(*outcomes: Outcome) -> dict[str, Any]:
    return Report("acme", "1.0", "isolated", outcomes, libraries={"python": "3.11.1"}).to_json() | {"examined": "2026-01-02"}


def test_a_row_counts_what_the_report_says_and_gives_each_reason_once():
    absent = ("not run", "there is no | device")
    cells = list(TOOL.row(_report(
        Outcome("a.b", "", "bronze", "", "passed"), Outcome("c.d", "adapter.tilt", "silver", "", *absent),
        Outcome("c.e", "adapter.tilt", "silver", "", *absent), Outcome("c.f", "adapter.tilt", "gold", "", "failed", "it is wrong"),
    )))  # fmt: skip
    assert cells == [
        "adapter", "bronze", "1", "1", "0", "2", "its own", "python 3.11.1", "2026-01-02",
        "`c.d`, `c.e` not run: there is no / device; `c.f` failed: it is wrong",
    ]  # fmt: skip


@pytest.mark.parametrize("reported", [False, True])
def test_a_plugin_that_was_not_examined_again_keeps_its_row(reported: bool):
    name = next(iter(TOOL.plugins()))
    once = TOOL.page(TEXT, {name: _report(Outcome("a.b", "", "bronze", "", "passed"))})
    again = TOOL.page(once, {name: _report(Outcome("a.b", "", "bronze", "", "failed", "worse"))} if reported else {})
    assert (_part("plugins", again) == _part("plugins", once)) is not reported
