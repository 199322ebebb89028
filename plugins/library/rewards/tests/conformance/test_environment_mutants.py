"""Tests of the checks of environments: one with one thing wrong is caught by the check that is meant for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, failed

KIND = "rl_environment"
GOOD = GoodPlugin(
    KIND,
    """from tunesmith_rewards.api import Observation, Opening

SHARED = []


class Provider:
    def reset(self, row, seed):
        self.said = [seed]
        return Opening(row["messages"])

    def step(self, answer):
        self.said.append(len(answer))
        last = len(self.said) > 3
        more = [] if last else [{"role": "user", "content": f"More, {self.said}."}]
        return Observation(more, float(sum(self.said)) if last else None, last)
""",
)

#: check -> change of the good environment
FAULTS = {
    "rl_environment.goes-on": ("self.said.append(len(answer))", "self.said.append(1 // len(answer))"),
    "rl_environment.same-again": ("self.said = [seed]", "self.said = [seed, self.__dict__.setdefault('first', seed)]"),
    "rl_environment.apart": ("self.said = [seed]", "self.said = SHARED; self.said[:] = [seed]"),
    "rl_environment.leaves-the-row": ("self.said = [seed]", "self.said = [seed]; row['seen'] = True"),
}
#: needs its author's examples, which the bundled environments have
ASKS_ITS_AUTHOR = {"rl_environment.prefers-the-better"}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) | ASKS_ITS_AUTHOR == checks_of(KIND)


def test_a_good_environment_is_caught_by_none(tmp_path: Path):
    assert failed(GOOD.write(tmp_path), KIND, "provider") == set()


@pytest.mark.slow
@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it(check: str, tmp_path: Path):
    assert failed(GOOD.write(tmp_path, FAULTS[check]), KIND, "provider") == {check}
