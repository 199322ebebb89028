"""Tests of the checks of objectives: one with one thing wrong is caught by the check that is meant for that, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import GoodPlugin, checks_of, dead_settings, failed_here, kept
from tunesmith_sdk.testing.documented_examples import example

pytestmark = pytest.mark.slow

KIND = "objective"
GOOD = GoodPlugin(KIND, Path(__file__).with_name("good_objective.py").read_text(), 'accepts=("dataset/chat",)', runtime=("torch",))
SETTINGS = """@dataclass(frozen=True)
class Settings:
    loud: int = setting(3, "nothing reads it", ge=1, le=11)
    high: int = setting(2, "something does", ge=1, le=11)
"""
PAGE = Path(__file__).parents[5] / "docs" / "conformance" / "author.md"
ORACLE = example(PAGE, "oracle")
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'

#: check -> changes of the good objective
FAULTS = {
    "objective.encodes": [
        (
            'return Group((chat.encode(row["messages"]),))',
            'made = chat.encode(row["messages"])\n        return Group((type(made)(made.tokens, [True, *made.labels[1:]]),))',
        ),
    ],
    "objective.sums": [("-batch.policy.sum()", "-batch.policy.sum() / len(batch.groups)")],
    "objective.gradient": [
        ("-batch.policy.sum()", "-(0.5 * batch.policy + 0.5 * batch.policy.detach()).sum()"),
        ("-(batch.policy / sum(batch.lengths)).sum()", "-(batch.policy + batch.policy.detach()).sum() / 2 / sum(batch.lengths)"),
    ],
    "objective.stays-finite": [("-batch.policy.sum()", "-batch.policy.exp().log().sum()")],
    "objective.declares-what-it-asks": [("asks = Asks()", "asks = Asks(reference=True)")],
    "objective.formula": [("policy / sum(batch.lengths)", "policy / len(batch.lengths)")],
    "objective.refuses-rows": [('not row["messages"] or ', "")],
    "objective.oracle": [("-batch.policy.sum()", "-1.01 * batch.policy.sum()"), ("return -(batch", "return -1.01 * (batch")],
}


#: one that learns from completions
LEARNER = GoodPlugin(
    KIND, Path(__file__).with_name("good_learner.py").read_text(),
    'accepts=("dataset/chat",), facts={"sampler": True}, needs=(Need("strategy", "sampling", "it samples"),)', runtime=("torch",),
)  # fmt: skip
RESUMES = "objective.resumes"
#: what of it a run that is killed does not find again
FORGETS = {
    "draws in its process": ("/ 10)", "/ 10 + random.SystemRandom().random())"),
    "counts in an attribute": ("/ 10)", "/ 10 * (1 + self.count()))"),
}
COUNTING = ("    def close(self):", "    def count(self):\n        self.seen += 0.25\n        return self.seen\n\n    def close(self):")


def written(folder: Path, *changes: tuple[str, str], oracle: bool = True) -> Path:
    """An objective, with the oracle that the page on the author's file has as an example."""
    folder.mkdir()
    (folder / "author.py").write_text(ORACLE)
    return GOOD.write(folder, *changes, table=TABLE if oracle else "")


def test_every_check_has_a_fault_that_it_catches():
    assert {*FAULTS, RESUMES} == checks_of(KIND)


def test_a_good_objective_is_caught_by_none(tmp_path: Path):
    assert failed_here(written(tmp_path / "plugin"), tmp_path) == set()


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    folder = written(tmp_path / "plugin", *FAULTS[check], oracle=check == "objective.oracle")
    assert failed_here(folder, tmp_path) == {check}


def test_a_good_objective_that_learns_from_completions_is_caught_by_none(tmp_path: Path):
    assert failed_here(LEARNER.write(tmp_path / "plugin"), tmp_path) == set()


@pytest.mark.parametrize("how", FORGETS)
def test_one_that_goes_on_otherwise_after_a_kill_is_caught(how: str, tmp_path: Path):
    changes = [FORGETS[how], *[COUNTING] * ("attribute" in how)]
    assert failed_here(LEARNER.write(tmp_path / "plugin", *changes), tmp_path) == {RESUMES}


def test_one_that_says_that_it_does_not_repeat_itself_is_not_caught(tmp_path: Path):
    told = ('{"sampler": True}', '{"sampler": True, "resume": "statistical"}')
    assert failed_here(LEARNER.write(tmp_path / "plugin", FORGETS["draws in its process"], told), tmp_path) == set()


def test_a_dead_setting_is_caught_and_a_living_one_is_not(tmp_path: Path):
    folder = GOOD.write(
        tmp_path,
        kept("high"),
        ("-batch.policy.sum()", "-self.high * batch.policy.sum()"),
        ("return -(batch", "return -self.high * (batch"),
        settings=SETTINGS,
    )
    assert dead_settings(folder) == {"loud"}


def test_losses_of_rows_that_are_not_those_of_the_batch_are_caught(tmp_path: Path):
    folder = written(tmp_path / "plugin", ("LossSum(-batch.policy.sum()", "LossSum(-batch.policy.sum(), rows=-batch.policy"), oracle=False)
    assert failed_here(folder, tmp_path) == {"objective.sums"}
