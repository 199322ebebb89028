"""docs/conformance/strategies.md: what the manifests say of each cell, and what came of those that a plan takes."""

from __future__ import annotations

import re

import pytest
import strategies_table as tool
from strategies_matrix import CODE, REFUSED, SAME, cells, decided


@pytest.fixture(autouse=True)
def _as_committed(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(tool, "KEPT", tmp_path)


def test_it_says_what_the_manifests_say() -> None:
    text = tool.PAGE.read_text("utf-8")
    assert tool.page(text) == text, "run `python tools/strategies_table.py --none`, or with the strategy of which something changed"


def test_what_a_plan_takes_without_a_warning_comes_to_the_same() -> None:
    found = tool.results(tool.PAGE.read_text("utf-8"))
    assert any(said == SAME for said in found.values())
    wrong = {cell: said for cell, said in found.items() if decided(cell).state == "taken" and said not in (SAME, tool.UNTRIED)}
    assert wrong == {}


def test_what_a_plan_refuses_has_its_code_and_its_reason() -> None:
    found = tool.results(tool.PAGE.read_text("utf-8"))
    refused = [cell for cell in cells() if decided(cell).state == REFUSED]
    assert refused
    assert [cell for cell in refused if found[cell] != decided(cell).code] == []
    by_manifests = [cell for cell in refused if decided(cell).code == CODE]
    assert all(re.search("does not have it, because .+; .+", decided(cell).reason) for cell in by_manifests)
    assert [cell for cell in refused if " because " not in decided(cell).reason] == []


def test_nobody_leaves_open_whether_it_can_be_divided() -> None:
    assert [cell for cell in cells() if "does not say" in decided(cell).reason] == []
