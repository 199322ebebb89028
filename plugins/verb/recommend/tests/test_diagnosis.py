"""`tunesmith runs why`: each rule with a made course of a training that it is for, and others that it is not for."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_recommend.diagnosis.curve import Curve
from tunesmith_recommend.diagnosis.diagnosis import findings, of_training
from tunesmith_recommend.diagnosis.finding import rules
from tunesmith_recommend.diagnosis.training import Training

USUAL = 2e-4


def course(of, steps: int = 60, noise: float = 0.02, seed: int = 0) -> Curve:
    draw = random.Random(seed)
    return Curve.of([(step, of(step / steps) + draw.gauss(0, noise)) for step in range(1, steps + 1)])


def training(loss, **more) -> Training:
    settings = {"learning_rate": USUAL, "num_train_epochs": 2.0, **more.pop("settings", {})}
    usual = {"step": "tune", "group": "tune", "file": "a.yaml", "validation": Curve(()), "usual_rate": USUAL}
    return Training(**{**usual, "loss": loss, "settings": settings, **more})


def said(one: Training) -> list[str]:
    return [finding.rule for finding in of_training(one)]


def falling(t: float) -> float:
    return 1.0 + 2.0 * math.exp(-5 * t)


LEARNS = training(course(lambda t: 1.0 + 2.0 * math.exp(-3.2 * t)))


@pytest.mark.parametrize("seed", range(10))
def test_of_a_training_that_learned_and_came_to_rest_nothing_is_said_but_perhaps_that_it_could_go_on(seed):
    steady = training(course(falling, seed=seed))
    assert set(said(steady)) <= {"steps.plateau", "steps.too-few"}
    assert not {"rate.too-high", "rate.too-low", "steps.nothing-learned"} & set(said(steady))


@pytest.mark.parametrize("seed", range(10))
def test_a_loss_that_rises_from_its_lowest_value_has_too_high_a_rate(seed):
    one = training(course(lambda t: 2.0 - 3 * t if t < 0.3 else 1.1 + 2 * (t - 0.3), seed=seed), settings={"learning_rate": 0.0006})
    (found,) = [finding for finding in of_training(one) if finding.rule == "rate.too-high"]
    assert found.command == "tunesmith run a.yaml --set steps.tune.settings.learning_rate=0.0002"
    assert found.evidence[2] == "0.0002 is what its adapter takes by itself"


def test_of_a_training_that_was_stopped_nobody_knows_whether_its_steps_were_enough():
    assert said(LEARNS) == ["steps.too-few"]
    assert said(replace(LEARNS, ended=False)) == []


def test_a_loss_that_rises_above_where_it_began_has_too_high_a_rate_though_it_never_fell():
    assert said(training(course(lambda t: 2.0 + 4 * t)))[0] == "rate.too-high"


def test_a_training_that_came_apart_is_told_of_by_its_error():
    error = {"code": "TS-TRAIN-001", "what": "Training diverged at step 3", "why": "", "fix": ""}
    (found,) = of_training(training(Curve.of([(1, 2.0), (2, 90.0)]), error=error, settings={"learning_rate": 1.0}))
    assert (found.rule, found.evidence[0]) == ("rate.diverged", "Training diverged at step 3")
    assert found.command.endswith("learning_rate=0.0002")  # 0.3 would be far above what the adapter takes


@pytest.mark.parametrize("seed", range(5))
def test_a_steady_fall_that_comes_nowhere_has_too_low_a_rate_where_it_is_far_below_the_usual_one(seed):
    slow = course(lambda t: 3.0 - 0.15 * t, seed=seed)
    (found,) = of_training(training(slow, settings={"learning_rate": 1e-6}))
    assert found.rule == "rate.too-low"
    assert found.command.endswith("learning_rate=1e-05")
    assert "rate.too-low" not in said(training(slow))  # at the usual rate


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_stays_where_it_was_has_learned_nothing(seed):
    (found,) = of_training(training(course(lambda t: 3.0, seed=seed), settings={"learning_rate": 1e-7}))
    assert found.rule in ("steps.nothing-learned", "rate.too-low")
    assert "learning_rate" in found.command


def test_where_nothing_was_learned_at_the_usual_rate_it_is_not_the_rate_that_is_to_be_changed():
    (found,) = of_training(training(course(lambda t: 3.0, seed=3)))
    assert (found.rule, found.command) == ("steps.nothing-learned", "tunesmith run a.yaml --set steps.tune.settings.num_train_epochs=4")


def test_without_gradients_it_is_no_matter_of_the_rate():
    one = training(course(lambda t: 3.0), gradients=[0.0] * 60, data="rows.jsonl", model="hf://a/b")
    (found,) = of_training(one)
    assert (found.rule, found.command) == ("steps.nothing-learned", "tunesmith data preview rows.jsonl --model hf://a/b")


def test_a_loss_that_still_falls_wants_more_steps():
    (found,) = of_training(training(course(lambda t: 3.0 - 2 * t)))
    assert (found.rule, found.command) == ("steps.too-few", "tunesmith run a.yaml --set steps.tune.settings.num_train_epochs=4")
    (few,) = of_training(training(Curve.of([(1, 3.0), (2, 2.9)]), settings={"max_steps": 2}))
    assert few.command.endswith(f"max_steps={rules()['steps.too-few']['least']}")  # four would be too few again
    bottom = Curve.of([(30, 1.5), (60, 1.9)])
    assert "steps.too-few" not in said(training(course(lambda t: 3.0 - 2 * t), validation=bottom))  # more would be learned by heart


def test_a_second_half_that_changed_nothing_is_a_plateau():
    (found,) = of_training(training(course(lambda t: max(1.0, 3.0 - 8 * t))))
    assert found.rule == "steps.plateau"
    assert found.command.endswith("num_train_epochs=1")


def test_a_validation_loss_that_rises_while_the_training_loss_falls_is_overfitting_from_its_least_step_on():
    validation = Curve.of([(15, 2.0), (30, 1.8), (45, 1.9), (60, 2.2)])
    (found,) = [one for one in of_training(training(course(falling), validation=validation)) if one.rule == "overfit"]
    assert "overfit from step 30" in found.what
    assert "--set steps.tune.settings.load_best_model_at_end=true" in found.command
    short = training(Curve.of([(1, 3.0), (2, 2.5)]), validation=Curve.of([(1, 2.0), (2, 2.4)]))
    assert said(short) == ["steps.too-few"], "two steps are no evidence of overfitting"
    level = Curve.of([(15, 2.0), (30, 1.80), (45, 1.81), (60, 1.81)])
    assert "overfit" not in said(training(course(falling), validation=level))
    settings = {"load_best_model_at_end": True, "early_stopping_patience": 2}
    (known,) = [one for one in of_training(training(course(falling), validation=validation, settings=settings)) if one.rule == "overfit"]
    assert known.command == "", "the same run once more is no advice"


def test_the_rows_behind_a_spike_are_named():
    points = list(course(falling).points)
    points[40] = (41, 9.0)
    rows = {41: [(7, 0.9), (3, 30.0), (12, 1.1), (5, 1.0)]}
    one = training(Curve.of(points), rows=rows, data="my rows.jsonl", model="hf://a/b")
    (found,) = [one for one in of_training(one) if one.rule == "spike"]
    assert "step 41" in found.what
    assert "row 3 (30), row 12 (1.1), row 5 (1)" in found.evidence[1]
    assert found.command == "tunesmith data preview 'my rows.jsonl' --model hf://a/b --row 3 --row 12 --row 5"


@given(st.integers(0, 10_000))
def test_noise_of_batches_alone_is_no_spike_and_no_rise(seed):
    found = said(training(course(falling, noise=0.05, seed=seed)))
    assert not {"spike", "rate.too-high"} & set(found)


def test_warnings_of_rows_that_were_cut_become_a_length_to_try():
    text = (
        "30 of 50 rows are longer than 128 tokens: 30 lost their end, with 1,000 tokens of which 900 would be trained on. "
        "`max_length: 400` would lose none"
    )
    (found,) = [one for one in of_training(training(LEARNS.loss, warnings=[text])) if one.rule == "rows.cut"]
    assert "60% of them" in found.what
    assert found.command.endswith("max_length=400")
    few = text.replace("30 of 50", "3 of 50")
    assert "rows.cut" not in said(training(LEARNS.loss, warnings=[few]))


def test_answers_without_an_end_token_are_told_of():
    text = "the token that ends the turn is not trained on in 4 of 9 answers: the model would not learn to stop"
    (found,) = [one for one in of_training(training(LEARNS.loss, warnings=[text])) if one.rule == "rows.end-token"]
    assert "4 of 9 answers" in found.what


def test_what_to_try_after_a_single_command_is_what_to_add_to_it():
    (found,) = of_training(training(course(lambda t: 3.0 - 2 * t), file=""))
    assert found.command == "the same command with --num-train-epochs 4"


@given(st.lists(st.floats(0, 1e6), max_size=80), st.lists(st.floats(0, 1e6), max_size=6), st.floats(0, 1))
def test_no_course_of_losses_makes_a_rule_fail_and_one_thing_at_most_is_wrong_with_it(losses, held, rate):
    loss, validation = (Curve.of(list(enumerate(values, 1))) for values in (losses, held))
    found = said(training(loss, validation=validation, settings={"learning_rate": rate}))
    assert sum(rule.startswith(("rate.", "steps.")) for rule in found) <= 1


# --- evaluations ---------------------------------------------------------------------------------------------------------------------


def evaluated(tmp_path, rights: dict[str, list[bool]], gate, answers=None):
    """A run that has asked each source the same questions."""
    steps, views, artifacts = [], {}, {}
    for source, right in rights.items():
        name = f"score:{source}"
        folder = tmp_path / source
        folder.mkdir()
        told = [
            {"question": f"q{at}", "expected": "yes", "answer": (answers or {}).get(at, "yes"), "right": one}
            for at, one in enumerate(right)
        ]
        (folder / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
        steps.append(SimpleNamespace(name=name, group="score", source=source, format="report/metrics", choices={}))
        views[name] = SimpleNamespace(metrics={"exact_match": sum(right) / len(right)})
        artifacts[name] = SimpleNamespace(path=folder)
    plan = SimpleNamespace(steps=steps, gates=[gate] if gate else [], path="a.yaml")
    return SimpleNamespace(plan=plan, steps=views, artifact=artifacts.get, series=lambda _: {})


def gate(value: float, relative_to: str = ""):
    return SimpleNamespace(group="score", metric="exact_match", op=">=", value=value, relative_to=relative_to, text=f">= {value}")


def test_a_gate_that_other_rows_might_have_decided_otherwise_is_told_of(tmp_path):
    few = evaluated(tmp_path, {"tune": [True] * 8 + [False] * 2}, gate(0.7))
    (found,) = findings(few)
    assert found.rule == "gate.within-noise"
    assert "between 0.4902 and 0.9433" in found.evidence[0]
    many = tmp_path / "many"
    many.mkdir()
    assert findings(evaluated(many, {"tune": [True] * 800 + [False] * 200}, gate(0.7))) == []


def test_a_gate_that_is_relative_is_judged_by_the_rows_that_both_were_asked(tmp_path):
    near = evaluated(tmp_path, {"tune": [True] * 8 + [False] * 2, "small": [True] * 7 + [False] * 3}, gate(0.8, "tune"))
    (found,) = findings(near)
    assert (found.rule, found.step) == ("gate.within-noise", "score:small")
    assert "-0.16 is the bound" in found.evidence[0]


def test_answers_that_begin_rightly_and_do_not_end_are_told_of(tmp_path):
    answers = {at: "yes, and then he said that it was not so, and more" for at in range(3)}
    (found,) = findings(evaluated(tmp_path, {"tune": [False] * 3 + [True] * 3}, None, answers))
    assert (found.rule, "3 of 6" in found.what) == ("answers.go-on", True)


def test_each_rule_has_a_text_a_source_and_a_test():
    from pathlib import Path

    source = Path(__file__).read_text()
    assert all(rule.text and rule.source for rule in rules().values())
    assert [name for name in rules() if f'"{name}"' not in source] == []
