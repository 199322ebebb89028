"""The page on formats is that of the manifests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


def _tool() -> Any:
    path = Path(__file__).parents[2] / "tools" / "formats_page.py"
    spec = importlib.util.spec_from_file_location("tunesmith_formats_page", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()


def test_it_is_current():
    assert TOOL.PAGE.read_text(encoding="utf-8") == TOOL.page(), "run tools/formats_page.py"


def test_makers_and_takers_are_told_apart():
    maker = {"kind": "quantizer", "name": "tilting", "accepts": ["model/hf"], "produces": ["model/tilt"]}
    taker = {"kind": "inference_backend", "name": "tilted", "accepts": ["model/tilt", "model/hf+*"], "produces": ["endpoint/openai"]}
    assert TOOL.formats([maker, taker]) == ["model/hf", "model/tilt"]
    assert TOOL.row("model/tilt", [maker, taker]) == ["`model/tilt`", "`tilting`", "`tilted`", "", ""]
    assert TOOL.row("model/hf", [maker, taker])[2:4] == ["`tilted`", "`tilting`"]


def test_who_fetches_trains_or_merges_a_format_makes_it_and_adapters_are_told_too():
    found = [
        {"kind": "exporter", "name": "written", "produces": ["adapter/tilt"]},
        {"kind": "adapter", "name": "trained", "produces": ["adapter/tilt"]},
        {"kind": "verb", "name": "merged", "produces": ["adapter/tilt+*"]},
    ]  # fmt: skip
    assert TOOL.formats(found) == ["adapter/tilt"]
    assert TOOL.row("adapter/tilt", found)[1] == "`trained`, `merged`, `written`"
