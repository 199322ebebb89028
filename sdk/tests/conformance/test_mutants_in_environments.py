"""Tests of the kit: what only an isolated environment shows of a plugin."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import packaging
import pytest

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]
pytestmark = pytest.mark.isolated

KIND = "exporter"
#: whose numbers are not compared, which takes torch and transformers
PLAIN = (', capabilities={"lossless": "full"}', "")
ELSEWHERE = Path(packaging.__file__).parents[1]

#: check -> changes of the good plugin
FAULTS = {
    "environment.isolated": [
        ("class Provider", f"import sys\n\nsys.path.append({str(ELSEWHERE)!r})\nimport packaging.version\n\n\nclass Provider"),
    ]
}


def test_a_good_plugin_is_caught_by_none_and_has_every_level(tmp_path: Path):
    report = mutants.conform(mutants.write(tmp_path, KIND, PLAIN), env="isolated")
    assert {outcome.check for outcome in report.outcomes if outcome.state != "passed"} == set()
    assert (report.where, report.level) == ("isolated", "gold")


@pytest.mark.parametrize("check", FAULTS)
def test_what_uses_another_environment_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    folder = mutants.write(tmp_path, KIND, PLAIN, *FAULTS[check])
    assert mutants.failed(folder, KIND, "provider", "settings", "step", "environment", env="isolated") == {check}


def test_what_lacks_a_requirement_is_caught(tmp_path: Path):
    folder = mutants.write(tmp_path, KIND, PLAIN, ("class Provider", "import packaging.version\n\n\nclass Provider"))
    assert mutants.failed(folder, "provider", "environment") == set()
    assert "environment.isolated" in mutants.failed(folder, "provider", "environment", env="isolated")
