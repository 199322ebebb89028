from pathlib import Path

import pytest

from tunesmith_sdk.conformance import catalog

PAGES = Path(__file__).resolve().parents[3] / "docs" / "conformance"


@pytest.mark.parametrize("id", sorted(catalog.load()))
def test_every_check_has_a_page_that_says_what_why_and_how_to_fix_it(id: str):
    text = (PAGES / f"{id}.md").read_text()
    assert text.startswith(f"# {id}: {catalog.CHECKS[id].title}\n\n*{catalog.CHECKS[id].level}; ")
    for part in ("**What is checked:** ", "**Why:** ", "**How to fix it:** "):
        assert len(text.partition(part)[2].partition("\n\n")[0]) > 20, part


def test_no_page_is_of_a_check_that_there_is_not():
    others = {"README", "architectures", "author", "model-impl", "settings", "strategies"}
    assert {path.stem for path in PAGES.glob("*.md")} - others == set(catalog.load())
