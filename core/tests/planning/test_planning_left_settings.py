"""Settings that are left to the estimate of a step: what it takes stands in the plan, and so in the key, with the reason."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Estimate
from tunesmith.planning.cache_keys import step_key
from tunesmith.planning.estimates.estimators import Estimators

YAML = "{model: shelf://base, steps: {tune: {teach: echo, adapter: tilt, data: train.jsonl}}}"
DIGESTS = {"model": "m", "data:train": "d"}


@pytest.fixture
def taking(monkeypatch, planner):
    """The plan's step and warnings where the estimator of `teach` takes such settings."""

    def plan(**settings):
        def estimate(self, record, request, choices=None):
            return Estimate({"weights": 1.0}, settings=settings, decisions=(("epochs", "they fit"),)) if record.name == "teach" else None

        monkeypatch.setattr(Estimators, "estimate", estimate)
        made = planner(YAML)
        return next(step for step in made.steps if step.name == "tune"), made

    return plan


def test_what_an_estimate_takes_is_the_plans_and_part_of_the_key(taking):
    one, plan = taking(epochs=2)
    other, _ = taking(epochs=3)
    assert (one.settings["epochs"], other.settings["epochs"]) == (2, 3)
    assert step_key(one, DIGESTS) != step_key(other, DIGESTS)
    assert any((decision.what, decision.reason) == ("epochs", "they fit") for decision in plan.decisions)


@pytest.mark.parametrize("settings", [{"epochs": "many"}, {"unheard": 1}])
def test_what_can_not_be_is_not_taken(taking, settings):
    step, plan = taking(**settings)
    assert step.estimate is None
    assert any("it takes a setting that can't be" in warning for warning in plan.warnings)
