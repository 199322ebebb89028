"""Tests of the checks of trackers: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, dead_settings, failed, kept

KIND = "tracker"
GOOD = GoodPlugin(KIND, Path(__file__).with_name("good_tracker.py").read_text())
SETTINGS = """@dataclass(frozen=True)
class Settings:
    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""

#: check -> change of the good tracker
FAULTS = {
    "tracker.hears-a-run": ("code=error.code", "code=error.status"),
    "tracker.keeps-what-is-told": ("settings=step.parameters(), ", ""),
    "tracker.light": ("import threading", "import yaml"),
    "tracker.prints-nothing": ("        self._write(state=", "        print('over')\n        self._write(state="),
    "tracker.lets-go": (
        "        self.path =",
        "        threading.Thread(target=threading.Event().wait, args=(5,)).start()\n        self.path =",
    ),
}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert failed(GOOD.write(tmp_path, FAULTS[check]), KIND, "provider") == {check}


def test_a_dead_setting_is_caught_and_a_living_one_is_not(tmp_path: Path):
    folder = GOOD.write(tmp_path, kept("high"), ('"told.jsonl"', 'f"{self.high * chr(97)}.jsonl"'), settings=SETTINGS)
    assert dead_settings(folder) == {"loud"}
