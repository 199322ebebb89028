"""Tests of the checks of dataset formats: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance import conform
from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, dead_settings, failed, kept
from tunesmith_sdk.testing.documented_examples import example

KIND = "dataset_format"
GOOD = GoodPlugin(
    KIND,
    Path(__file__).with_name("good_dataset_format.py").read_text(),
    'produces=("dataset/chat",), facts={"row": {"type": "object", "required": ["question", "answer"], '
    '"properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}}',
)
SETTINGS = """@dataclass(frozen=True)
class Settings:
    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""
PAGE = Path(__file__).parents[5] / "docs" / "conformance" / "author.md"
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'

#: check -> changes of the good dataset format
FAULTS = {
    "dataset_format.declares-its-rows": [
        ('"required": ["question", "answer"], ', ""),
        ('if not row["question"]', 'if not row.get("question") or "answer" not in row'),
    ],
    "dataset_format.refuses-by-code": [('if not row["question"]:', 'if not row["question"].strip("W")[3]:')],
    "dataset_format.converts": [('message("user", row["question"])', '{"role": "user", "content": row["question"]}')],
}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert failed(GOOD.write(tmp_path, *FAULTS[check]), KIND, "provider") == {check}


def test_a_dead_setting_is_caught_and_a_living_one_is_not(tmp_path: Path):
    folder = GOOD.write(tmp_path, kept("high"), ('row["answer"])', 'row["answer"] * self.high)'), settings=SETTINGS)
    assert dead_settings(folder) == {"loud"}


@pytest.mark.parametrize(
    ("author", "state", "said"),
    [
        (example(PAGE, "rows"), "passed", ""),
        ('def rows(case):\n    return [{"question": "", "answer": "So."}]\n', "failed", "is refused"),
    ],
)
def test_an_author_s_row_is_converted_or_it_is_told(author: str, state: str, said: str, tmp_path: Path):
    folder = GOOD.write(tmp_path, table=TABLE)
    (folder / "author.py").write_text(author)
    (outcome,) = conform(folder, only=["dataset_format.converts"]).outcomes
    assert (outcome.state, said in outcome.what) == (state, True)
