"""The table of architectures is what was tried, and has the architectures that it promises."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from families import FAMILIES  # noqa: E402
from table import PAGE, RESULTS, page  # noqa: E402

ROWS = json.loads(RESULTS.read_text("utf-8"))["rows"]


def test_the_page_is_what_was_tried():
    assert PAGE.read_text("utf-8") == page(ROWS)


def test_every_family_was_tried_and_its_tiny_model_could_be_made():
    assert list(ROWS) == list(FAMILIES)
    assert [name for name, cells in ROWS.items() if cells.get("model") != "yes"] == []


def test_what_trains_has_the_same_losses_packed_and_merges():
    trained = {name: cells for name, cells in ROWS.items() if cells.get("lora") == "yes"}
    assert len(trained) >= 40
    as_losses = {name: [cells[how] for how in ("packed", "classify", "embed") if how in cells] for name, cells in trained.items()}
    assert [name for name, said in as_losses.items() if not said] == []
    assert [name for name, said in as_losses.items() if not all(one.startswith(("yes", "one by one")) for one in said)] == []
    assert [name for name, cells in trained.items() if cells["merge"] != "yes"] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["llama", "mixtral", "gpt2", "bert"])
def test_a_row_is_found_again(name, tmp_path):
    from row import Row

    row = Row(name, tmp_path)
    row.run(lambda cells: None)
    assert row.found == ROWS[name]
