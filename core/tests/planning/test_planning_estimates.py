"""Memory and disk are known before the run; what can't fit is not started."""

import sys
from dataclasses import replace

import pytest

from tunesmith.contracts import Estimate, ModelShape
from tunesmith.planning.estimates import bytes_text, check_disk

YAML = """\
model: shelf://base
steps:
  tune: {teach: echo, adapter: {tilt: {angle: 10}}, data: train.jsonl}
  api: {serve: kettle, from: tune}
"""
CONFIG = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 128, "vocab_size": 1000,
          "tie_word_embeddings": True}  # fmt: skip
PARAMETERS = ModelShape.from_config(CONFIG).parameters


def step(plan, name):
    return next(step for step in plan.steps if step.name == name)


def test_the_verbs_estimator_is_asked_last_with_the_answers_of_the_others(planner):
    estimate = step(planner(YAML), "tune").estimate
    assert estimate.terms == {"weights": 4.0 * PARAMETERS, "optimizer": 8.0 * 10_000}
    assert estimate.disk == 5000


def test_a_models_shape_is_followed_through_the_graph(planner):
    assert step(planner(YAML), "api").estimate.terms == {"weights": 2.0 * PARAMETERS}


def test_the_size_of_what_is_fetched_counts_as_disk(planner):
    assert step(planner(YAML), "model").estimate.disk == 10_000_000


def test_too_little_free_memory_is_a_warning(planner, make_device):
    plan = planner(YAML, devices={"abacus": [make_device(memory=8e9, free=1000)]})
    assert any(warning.startswith("tune: needs about") and "weights" in warning for warning in plan.warnings)


def test_a_device_that_is_too_small_is_an_error_that_names_the_largest_part(problems, make_device):
    found = problems(YAML, devices={"abacus": [make_device(memory=1000, free=1000)]})
    assert [p.code for p in found] == ["TS-PLAN-008"] * 2
    assert "tunesmith.yaml:3: the step `tune` needs about" in found[0].what
    assert "(weights)" in found[0].fix


def test_an_estimate_that_is_only_a_little_over_is_no_error(planner, make_device):
    needed = 4.0 * PARAMETERS + 80_000
    assert planner(YAML, devices={"abacus": [make_device(memory=needed / 1.1, free=1)]}).warnings


def test_processes_that_share_a_device_add_up(planner, make_device):
    yaml = YAML.replace("data:", "strategy: {relay: {processes: 4}}, data:")
    needed = 4.0 * PARAMETERS + 80_000
    two = {"abacus": [make_device(memory=1e9, free=1.5 * needed), make_device(memory=1e9, free=1.5 * needed)]}
    assert any(warning.startswith("tune: needs about") for warning in planner(yaml, devices=two).warnings)
    assert not planner(yaml.replace("4", "2"), devices=two).warnings


@pytest.mark.parametrize(
    "estimator",
    [
        lambda request: 1 / 0,
        lambda request: Estimate({"weights": float("nan")}),
        lambda request: Estimate({"weights": -1.0}),
        lambda request: "much",
        lambda request: {"part": "much"},
        lambda request: sys.exit,
    ],
)
def test_an_estimator_that_fails_is_a_warning(planner, monkeypatch, estimator):
    monkeypatch.setattr(sys.modules["made_up"], "teach", estimator)
    plan = planner(YAML)
    assert step(plan, "tune").estimate is None
    assert any("tune: the estimate is unknown" in warning for warning in plan.warnings)


def test_an_estimator_that_knows_nothing_says_nothing(planner, monkeypatch):
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: None)
    plan = planner(YAML)
    assert step(plan, "tune").estimate is None
    assert not plan.warnings


def test_what_an_estimator_says_of_its_figures_and_of_the_way_taken_is_in_the_plan(planner, monkeypatch):
    said = Estimate({"weights": 1.0}, notes=("a guess",), decisions=(("the short way", "the model is small"),))
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: said)
    assert {("its memory", "a guess"), ("the short way", "the model is small")} <= {
        (decision.what, decision.reason) for decision in planner(YAML).decisions if decision.step == "tune"
    }


def test_an_estimator_can_look_at_the_models_configuration(planner, monkeypatch):
    seen = []
    monkeypatch.setattr(sys.modules["made_up"], "teach", lambda request: seen.append(request.shape.config))
    planner(YAML)
    assert dict(seen[0]) == CONFIG


def test_a_full_disk_is_told_before_the_run_but_not_for_what_is_done(planner):
    plan = planner(YAML)
    (problem,) = check_disk(plan, free=1_000_000)
    assert problem.code == "TS-PLAN-009"
    assert "model" in problem.why
    assert check_disk(plan, free=1_000_000, done=lambda name: name == "model") == []
    assert check_disk(replace(plan, steps=()), free=0) == []


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (1023.9 * 2**20, "1.0 GiB"), (2**50, "1024.0 TiB")]
)
def test_bytes_are_written_for_people(count, text):
    assert bytes_text(count) == text
