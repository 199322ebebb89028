"""Tests of what the kit does with a verb that composes other plugins' providers: it plans and runs its author's pipeline."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'
#: the good verb, taking a provider
COMPOSES = (
    ('produces=("document/stamp",)', 'produces=("document/stamp",), slots=(Slot("reader", "dataset_format", "how rows are read"),)'),
    ('write_text("stamped")', "write_text(type(step.provider('reader')).__name__)"),
)
PIPELINE = """
def pipeline(case):
    return {"model": f"file://{case.material('taught')}", "steps": {"stamped": {"tried": {}, "reader": "messages"}}}
"""


def composing(folder: Path, *changes: tuple[str, str], author: str = PIPELINE) -> Path:
    (folder / "author.py").write_text(author)
    return mutants.write(folder, "verb", *COMPOSES, *changes, table=TABLE)


def states(folder: Path) -> dict[str, str]:
    return {outcome.check: outcome.state for outcome in mutants.conform(folder, only=["verb", "step", "provider"]).outcomes}


def test_with_a_pipeline_all_its_checks_are_made(tmp_path: Path):
    assert set(states(composing(tmp_path)).values()) == {"passed"}


def test_without_one_what_needs_it_is_not_run_and_the_rest_is(tmp_path: Path):
    found = states(composing(tmp_path, author="# nothing to say\n"))
    assert {check for check, state in found.items() if state == "passed"} == {"provider.loads", "verb.composes"}
    assert set(found.values()) == {"passed", "not run"}


@pytest.mark.parametrize(
    ("author", "said"),
    [
        (PIPELINE.replace("messages", "nobody"), "can't be planned"),
        (PIPELINE.replace('"tried": {}, "reader": "messages"', '"download": {}'), "can't be planned"),
        ("def pipeline(case):\n    raise KeyError('oh')\n", "KeyError: 'oh'"),
    ],
)
def test_a_pipeline_that_does_not_do_is_a_fault_and_says_why(author: str, said: str, tmp_path: Path):
    (outcome,) = mutants.conform(composing(tmp_path, author=author), only=["step.cancels"]).outcomes
    assert outcome.state == "failed"
    assert said in outcome.what


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("verb.makes-its-format", ('format="document/stamp"', 'format="document/seal"')),
        ("verb.reproducible", ("type(step.provider('reader')).__name__", "str(step.inputs['model'].path)")),
    ],
)
def test_a_fault_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, change: tuple[str, str], tmp_path: Path):
    assert mutants.failed(composing(tmp_path, change), "verb", "step", "provider") == {check}
