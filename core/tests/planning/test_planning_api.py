"""Pipelines from Python: the file's grammar, and nothing imported before it is needed."""

import subprocess
import sys

import pytest

import tunesmith as ts
from tunesmith.errors import Problems

STEPS = {"tune": {"teach": "echo", "adapter": {"tilt": {"angle": 3}}, "data": "train.jsonl"}}


def test_the_package_imports_its_pipeline_only_when_asked():
    code = "import sys, tunesmith; assert 'tunesmith.api' not in sys.modules; tunesmith.Pipeline; assert 'yaml' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_planning_imports_neither_rich_nor_a_numerical_library():
    code = (
        "import sys, tunesmith.planning.planner, tunesmith.planning.plan_text, tunesmith_data.formats.detection\n"
        "assert not {'rich', 'numpy', 'torch', 'transformers', 'pydantic'} & {name.partition('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Pipelin"):
        ts.Pipelin  # noqa: B018


def test_a_pipeline_in_python_is_the_one_in_the_file(tmp_path, planner, plan_spec):
    from_file = planner(
        "name: demo\nmodel: shelf://base\nseed: 3\nsteps:\n  tune: {teach: echo, adapter: {tilt: {angle: 3}}, data: train.jsonl}\n"
    )
    pipeline = ts.Pipeline(name="demo", model="shelf://base", seed=3, steps=STEPS, base=tmp_path)
    made = plan_spec(pipeline.spec)
    assert (made.steps, made.outputs, made.decisions) == (from_file.steps, from_file.outputs, from_file.decisions)
    assert ts.Pipeline.load(from_file.path).spec.steps == pipeline.spec.steps


def test_a_mistake_is_told_with_its_path(tmp_path, plan_spec):
    with pytest.raises(Problems) as caught:
        plan_spec(
            ts.Pipeline(model="shelf://base", steps={"tune": {**STEPS["tune"], "adapter": {"tilt": {"angel": 3}}}}, base=tmp_path).spec
        )
    assert any(p.what.startswith("steps.tune.adapter.tilt.angel: ") for p in caught.value.problems)


def test_a_mistake_in_the_grammar_is_told_at_once():
    with pytest.raises(Problems, match="TS-SPEC-005"):
        ts.Pipeline(steps={})
