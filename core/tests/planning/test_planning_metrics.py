"""A gate over what its step can't measure is refused before anything is computed; what nobody declares is said to be unknown."""

import dataclasses

import pytest

from tunesmith.plugins.records import Plugin
from tunesmith.plugins.registry import Registry

VERB = {"loss": {"better": "lower"}, "held_loss": {"with": ["validation", "share"]}}


@pytest.fixture
def registry(world):
    """The made-up world with metrics declared by the verb `teach`, the objective `echo` and the evaluator `exam`, or not."""

    def make(verb=VERB, echo=None):
        facts = {"teach": verb, "echo": echo}

        def told(record):
            metrics = facts.get(record.name)
            return record if metrics is None else dataclasses.replace(record, facts={**record.facts, "metrics": metrics})

        changed: list[Plugin] = [dataclasses.replace(plugin, providers=tuple(map(told, plugin.providers))) for plugin in world().plugins]
        return Registry(changed)

    return make


def taught(gate, objective="echo"):
    step = f"{{teach: {objective}, adapter: tilt, data: train.jsonl, gate: {{{gate}: '<= 2'}}}}"
    return f"model: shelf://base\nsteps:\n  tune: {step}\n"


@pytest.mark.parametrize("objective", ["echo", "auto"])
def test_a_misspelt_metric_of_a_training_is_refused_with_a_guess(problems, registry, objective):
    (problem,) = problems(taught("losss", objective), registry(echo={}))
    assert (problem.code, problem.fix) == ("TS-SPEC-012", "Did you mean `loss`?")
    assert problem.what == "tunesmith.yaml:3: `tune` does not measure `losss`"


@pytest.mark.parametrize(("metric", "echo"), [("loss", {}), ("echoes", {"echoes": {}}), ("loss", None)])
def test_what_the_verb_or_its_main_provider_measures_is_planned(planner, registry, metric, echo):
    plan = planner(taught(metric), registry(echo=echo))
    assert [gate.metric for gate in plan.gates] == [metric]
    assert not [warning for warning in plan.warnings if metric in warning]


@pytest.mark.parametrize(
    ("verb", "echo", "who"), [(VERB, None, "`echo` does"), (None, {}, "`teach` does"), (None, None, "`teach`, `echo` do")]
)
def test_what_nobody_declares_is_said_to_be_unknown_until_the_run(planner, registry, verb, echo, who):
    (warning,) = [w for w in planner(taught("losss"), registry(verb, echo)).warnings if "losss" in w]
    assert "is known once it has run" in warning
    assert f"{who} not declare" in warning


def test_a_metric_that_needs_an_input_is_refused_without_it(problems, registry):
    (problem,) = problems(taught("held_loss"), registry(echo={}))
    assert (problem.code, "only with `validation` or `share`" in problem.what) == ("TS-SPEC-012", True)
