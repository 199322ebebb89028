"""The page on the author's file lists what the kit looks for, and its examples work as they stand."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import tunesmith_sdk.conformance
from tunesmith_sdk.testing.documented_examples import example, examples

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "conformance" / "author.md"
#: signature -> its example
LISTED = examples(PAGE)
TABLE = '[tool.tunesmith.conformance]\nauthor = "author.py"'
_HEAVY = [pytest.mark.slow]

#: function -> kind that asks for it, the checks that must then pass, what differs from the good plugin
EXAMINED = [
    pytest.param("source", "exporter", ["exporter.writes-its-format"], (), marks=_HEAVY),
    pytest.param("uri", "model_loader", ["model_loader.pins", "step.cancels"], (('"file"', '"acme"'),), marks=_HEAVY),
    pytest.param("known_answers", "evaluator", ["evaluator.known-answers"], ()),
    pytest.param("examinee", "evaluator", ["evaluator.prefers-the-better", "evaluator.deterministic"], ()),
    pytest.param("model", "quantizer", ["quantizer.keeps-the-knowledge"], (), marks=_HEAVY),
]  # fmt: skip


def test_it_lists_every_function_that_the_kit_looks_for_and_no_other():
    brought = PAGE.parents[2].glob("plugins/*/*/src/*/conformance/*.py")  # a kind's checks may be another distribution's
    sources = [*Path(tunesmith_sdk.conformance.__file__).parent.rglob("*.py"), *brought]
    calls = re.compile(r"\b(?:author|asked|missing|gives)\(\s*\"(\w+)\"")
    asked = {name for path in sources for name in calls.findall(path.read_text(encoding="utf-8"))}
    assert {signature.partition("(")[0] for signature in LISTED} == asked


@pytest.mark.parametrize("signature", LISTED)
def test_an_example_has_the_signature_that_is_stated(signature: str):
    defined: dict[str, object] = {}
    exec(LISTED[signature], defined)
    name = signature.partition("(")[0]
    assert f"{name}{inspect.signature(defined[name])}" == signature  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "kind", "checks", "changes"), EXAMINED)
def test_an_example_does_what_it_is_for(name: str, kind: str, checks: list[str], changes: tuple, tmp_path: Path):
    folder = mutants.write(tmp_path, kind, *changes, table=TABLE)
    (folder / "author.py").write_text(example(PAGE, name))
    found = {outcome.check: outcome.state for outcome in mutants.conform(folder, only=checks).outcomes}
    assert found == dict.fromkeys(checks, "passed")


def test_a_library_that_an_author_s_file_lacks_is_a_reason_and_no_fault(tmp_path: Path):
    folder = mutants.write(tmp_path, "evaluator", table=TABLE)
    (folder / "author.py").write_text("import no_such_library\n\ndef known_answers(case):\n    return []\n")
    (outcome,) = mutants.conform(folder, only=["evaluator.known-answers"]).outcomes
    assert outcome.state == "not run"
    assert "no_such_library" in outcome.what
