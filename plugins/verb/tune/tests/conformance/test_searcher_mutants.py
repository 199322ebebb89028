"""Tests of the checks of searchers: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, dead_settings, failed, kept

KIND = "searcher"
GOOD = GoodPlugin(KIND, Path(__file__).with_name("good_searcher.py").read_text())
SETTINGS = """@dataclass(frozen=True)
class Settings:
    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""

#: check -> change of the good searcher
FAULTS = {
    "searcher.stays-in-the-space": ("int(", "float("),
    "searcher.same-sequence": ("Random(f", "self.__dict__.setdefault('random', Random(0)) or Random(f"),
    "searcher.takes-failures": ("if trial.scores", 'if trial.scores or trial.state == "failed"'),
    "searcher.never-prunes-the-best": ("search.followed.cost(point.value)", "-search.followed.cost(point.value)"),
}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert failed(GOOD.write(tmp_path, FAULTS[check]), KIND, "provider") == {check}


def test_a_dead_setting_is_caught_and_a_living_one_is_not(tmp_path: Path):
    folder = GOOD.write(tmp_path, kept("high"), ("{search.seed}", "{search.seed + self.high}"), settings=SETTINGS)
    assert dead_settings(folder) == {"loud"}
