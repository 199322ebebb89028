"""What breaks who builds on a package is told from what does not."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from tunesmith_sdk.testing.agreed_api import AgreedApi, kept


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"f": {"call": ["a"]}}, {"f": {"call": ["a", "b="]}, "g": {}}, True),
        ({"f": {"call": ["a"]}}, {"f": {"call": ["a", "b"]}}, False),
        ({"f": {"call": ["a", "b"]}}, {"f": {"call": ["b", "a"]}}, False),
        ({"f": {}}, {}, False),
        ({"C": {"methods": {"m": []}}}, {"C": {"methods": {}}}, False),
    ],
)
def test_what_breaks_a_user_is_told_from_what_does_not(before: dict, after: dict, same: bool):
    assert kept(before, after) is same


def test_a_name_that_is_called_otherwise_needs_another_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    module = types.ModuleType("made_up_api")
    module.__dict__.update(API=1, __all__=["API", "f"], f=lambda a: a)
    monkeypatch.setitem(sys.modules, "made_up_api", module)
    agreed = AgreedApi(tmp_path / "api.json", "made_up_api")
    agreed.write()
    assert agreed.complaint() == ""
    module.f = lambda a, b=1: a
    assert "write api.json anew" in agreed.complaint()
    module.f = lambda a, b: a
    assert "raise `made_up_api.API`" in agreed.complaint()
    module.API = 2
    assert agreed.complaint() == ""
