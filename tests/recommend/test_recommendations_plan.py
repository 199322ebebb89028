"""What is recommended can be done: over machines, models, rows and goals, the file that is written plans on the machine that it is for."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith_recommend.choice.recommendation import GOALS, Recommendation
from tunesmith_recommend.commands.text import page, pipeline_file

from .world import ROWS, facts

ASKED = {
    "machine": st.one_of(st.floats(0.25, 48).map(lambda size: f"{size:.2f} GB"), st.sampled_from(["T4", "A10", "A100-80"])),
    "kind": st.sampled_from(sorted(ROWS)),
    "goal": st.sampled_from(GOALS),
    "rows": st.integers(1, 10**6),
    "tokens": st.integers(2, 4000),
    "language": st.sampled_from(["en", "zh", "sw", "ko"]),
    "field": st.sampled_from(["", "medical", "code", "gardening"]),
    "budget": st.sampled_from([0.0, 600.0, 1e6]),
}


def keeps_its_promise(world: Any, asked: dict[str, Any], models: list[Any]) -> None:
    try:
        found, wanted = world.recommend(models=models, **asked)
    except UserError as error:
        if error.code != "TS-RECOMMEND-001" or not error.why:
            raise
        return
    file = Path(world.folder) / "tunesmith.yaml"
    file.write_text(pipeline_file(found, wanted), encoding="utf-8")
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == found.pipeline
    plan = world.plan(load_pipeline(file), world.info(found.pipeline["model"]), asked["machine"])
    (devices,) = world.machine(asked["machine"]).values()
    assert max(step.estimate.memory for step in plan.steps if step.estimate) <= devices[0].memory
    assert found.prediction.seconds <= (asked["budget"] or 8 * 3600)
    assert all(choice.reason and choice.rule.text and choice.rule.source for choice in found.choices)
    assert found.pipeline["model"] in page(found, wanted, refused=True)
    assert Recommendation.from_note(json.loads(json.dumps(asdict(found)))).to_json() == found.to_json()


def some(world: Any) -> Any:
    return st.lists(st.sampled_from(world.models), min_size=1, max_size=3, unique_by=lambda model: model.uri)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_recommended_plans(world: Any, data: st.DataObject):
    keeps_its_promise(world, data.draw(st.fixed_dictionaries(ASKED)), data.draw(some(world)))


@pytest.mark.slow
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_recommended_plans_over_many_machines_models_and_rows(world: Any, data: st.DataObject):
    keeps_its_promise(world, data.draw(st.fixed_dictionaries(ASKED)), data.draw(some(world)))


def test_rows_of_each_kind_can_be_looked_at(world: Any):
    from tunesmith_data.inspection import inspect

    formats = world.registry.providers("dataset_format")
    for kind, (_, produces, _) in ROWS.items():
        found = inspect(world.folder / f"{kind}.jsonl", formats)
        assert produces in found.produces, kind
    assert facts("labels")["labels"] == {"bad": 500, "good": 500}
