"""Rows with a verdict of their own are KTO's, though they could be read as plain examples too."""

from __future__ import annotations

import json

from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_data.commands.tokens import _fitting


def test_rows_with_true_and_false_are_looked_at_as_kto_reads_them(tmp_path):
    registry = load_registry(load_config())
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"prompt": "Why?", "completion": "So.", "label": label}) + "\n" for label in (True, False)))
    assert _fitting(file, registry, {}) == "kto"
    file.write_text(json.dumps({"prompt": "Why?", "completion": "So."}) + "\n")
    assert "dataset/unpaired" not in registry.providers("objective")[_fitting(file, registry, {})].accepts
