"""Tests of the checks of optimizers: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, dead_settings, failed_here

pytestmark = pytest.mark.slow

KIND = "optimizer"
SETTINGS = """@dataclass(frozen=True)
class Settings:
    weight_decay: float = setting(0.0, "how much", ge=0)
"""
GOOD = GoodPlugin(
    KIND, Path(__file__).with_name("good_optimizer.py").read_text(), 'estimator="PACKAGE.estimate:estimate"', SETTINGS, ("torch",)
)
MORE_SETTINGS = f"""{SETTINGS}    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""

#: check -> changes of the good optimizer
FAULTS = {
    "optimizer.learns": [("p.sub_(", "p.add_(")],
    "optimizer.deterministic": [('state["mean"] /', '(1 + 1e-3 * __import__("random").random()) * state["mean"] /')],
    "optimizer.keeps-tensors": [("torch.tensor(0)", "0")],
    "optimizer.resumes": [
        ('state["count"] += 1', "self.counts[p] = self.counts.get(p, 0) + 1"),
        ('** state["count"]', "** self.counts[p]"),
        ("        super().__init__(groups, {})", "        super().__init__(groups, {})\n        self.counts = {}"),
    ],
    "optimizer.rates": [("groups(parameters,", "groups([dataclasses.replace(one, rate=1.0) for one in parameters],")],
    "optimizer.decays": [("groups(parameters,", "groups([dataclasses.replace(one, decay=True) for one in parameters],")],
    "optimizer.leaves-alone": [
        ("                if p.grad is None:\n                    continue\n", ""),
        (".lerp_(p.grad, 0.1)", ".lerp_(torch.zeros_like(p) if p.grad is None else p.grad, 0.1)"),
    ],
    "optimizer.estimate": [('"state": 4.0', '"state": 8.0')],
}


def test_every_check_has_a_fault_that_it_catches():
    assert set(FAULTS) == checks_of(KIND)


def test_a_good_optimizer_is_caught_by_none(tmp_path: Path):
    assert failed_here(GOOD.write(tmp_path / "plugin"), tmp_path) == set()


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    assert failed_here(GOOD.write(tmp_path / "plugin", *FAULTS[check]), tmp_path) == {check}


def test_a_dead_setting_is_caught_and_a_living_one_is_not(tmp_path: Path):
    change = ("=self.settings.weight_decay", "=self.settings.weight_decay + self.settings.high")
    assert dead_settings(GOOD.write(tmp_path, change, settings=MORE_SETTINGS)) == {"loud"}
