"""docs/conformance/settings.md: every setting that is declared has a row, and none is dead."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("settings_table", ROOT / "tools" / "settings_table.py")
assert _spec is not None
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)  # type: ignore[union-attr]


def test_it_has_every_setting_that_is_declared_and_adds_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(tool, "KEPT", tmp_path)
    text = tool.PAGE.read_text("utf-8")
    assert tool.page(text) == text, "run `python tools/settings_table.py --none`, or with the name of the plugin whose settings changed"


def test_no_setting_is_dead():
    assert [(provider, name) for provider, name, shows in tool.rows(tool.PAGE.read_text("utf-8")) if shows == tool.DEAD] == []
