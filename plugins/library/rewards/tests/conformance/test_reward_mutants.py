"""Tests of the checks of rewards: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, failed

KIND = "reward"
GOOD = GoodPlugin(
    KIND,
    """class Provider:
    def score(self, prompt, completion, row):
        return float(len(completion))

    def score_batch(self, prompts, completions, rows):
        return [self.score(*one) for one in zip(prompts, completions, rows)]
""",
)

#: check -> change of the good reward
FAULTS = {
    "reward.number-or-none": ("return float(len(completion))", "return float(len(completion)) if completion else float('inf')"),
    "reward.same-again": ("return float(", "self.__dict__['n'] = self.__dict__.get('n', 0) + 1; return self.n * float("),
    "reward.leaves-the-row": ("return float(", "row['seen'] = True; return float("),
    "reward.batch-agrees": ("zip(prompts, completions, rows)]", "zip(prompts, completions, rows)][::-1] + [1.0]"),
}
#: needs its author's examples, which the bundled rewards have
ASKS_ITS_AUTHOR = {"reward.prefers-the-better"}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) | ASKS_ITS_AUTHOR == checks_of(KIND)


def test_a_good_reward_is_caught_by_none(tmp_path: Path):
    assert failed(GOOD.write(tmp_path), KIND, "provider") == set()


@pytest.mark.slow
@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it(check: str, tmp_path: Path):
    assert check in failed(GOOD.write(tmp_path, FAULTS[check]), KIND, "provider")
