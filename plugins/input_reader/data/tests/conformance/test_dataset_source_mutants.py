"""Tests of the checks of dataset sources: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, failed

KIND = "dataset_source"
GOOD = GoodPlugin(
    KIND,
    """import os
from tunesmith.contracts import UserError
from tunesmith_data.api import FoundDataset


class Provider:
    def find(self, address, base, step):
        if address != "acme://rows":
            raise UserError("ACME-001", f"there is no {address}", fix="Ask for acme://rows.")
        return FoundDataset("rows", {"rows.jsonl": 14}, ("rows.jsonl",), "1")

    def fetch(self, found, folder, step):
        (folder / "rows.jsonl").write_text('{"text": "one"}'[:14])
""",
    'facts={"schemes": ["acme"]}',
)
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'

#: check -> changes of the good source
FAULTS = {
    "dataset_source.declares-addresses": [('"schemes": ["acme"]', "")],
    "dataset_source.brings-what-it-found": [
        ('{"rows.jsonl": 14}', '{"rows.jsonl": 15}'),
        ('{"rows.jsonl": 14}', '{"rows.jsonl": 14, "more.jsonl": 0}'),
        ('("rows.jsonl",)', "()"),
    ],
    "dataset_source.same-again": [('("rows.jsonl",), "1"', '("rows.jsonl",), os.urandom(8).hex()')],
    "dataset_source.refuses-by-code": [("raise UserError(", "raise KeyError("), ('if address != "acme://rows"', "if not address")],
}
CASES = [(check, change) for check, changes in FAULTS.items() for change in changes]


def made(folder: Path, *changes: tuple[str, str]) -> Path:
    made = GOOD.write(folder, *changes, table=TABLE)
    (made / "author.py").write_text('def address(case):\n    return "acme://rows"\n')
    return made


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


def test_a_good_source_is_caught_by_none(tmp_path: Path):
    assert failed(made(tmp_path), KIND, "provider") == set()


@pytest.mark.slow
@pytest.mark.parametrize(("check", "change"), CASES)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, change: tuple[str, str], tmp_path: Path):
    assert failed(made(tmp_path, change), KIND, "provider") == {check}
