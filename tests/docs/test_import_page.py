"""docs/import.md tells of the tables of keys as they are."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import import_page


def test_the_coverage_is_that_of_the_tables():
    assert import_page.main(["--check"]) == 0, "python tools/import_page.py"
