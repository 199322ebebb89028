"""Tests of the checks of importers: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, failed

KIND = "importer"
GOOD = GoodPlugin(KIND, Path(__file__).with_name("good_importer.py").read_text())

#: check -> change of the good importer
FAULTS = {
    "importer.knows-its-keys": ("rule.kind for", '"good" for'),
    "importer.accounts-for-each-key": ("account.close()", "account.refuse('steam', 'b')"),
    "importer.claims-its-own": ('1.0 if "heat" in configuration.names() else 0.0', "0.5"),
}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


def test_a_good_one_is_caught_by_none(tmp_path: Path):
    assert failed(GOOD.write(tmp_path), KIND, "provider") == set()


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert failed(GOOD.write(tmp_path, FAULTS[check]), KIND, "provider") == {check}
