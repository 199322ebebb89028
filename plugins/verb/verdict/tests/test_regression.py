"""The built-in questions: each check tells a right answer from a wrong one, and the areas are counted apart."""

from __future__ import annotations

from collections import Counter

import pytest

from tunesmith.contracts import EstimateRequest, UserError
from tunesmith_sdk.conformance.materials.scripted_endpoint import scripted_endpoint
from tunesmith_verdict.regression.checks import CHECKS, is_right
from tunesmith_verdict.regression.estimate import estimate
from tunesmith_verdict.regression.evaluator import Regression
from tunesmith_verdict.regression.questions import AREAS, questions
from tunesmith_verdict.settings import RegressionSettings

STORY = (
    "The old keeper climbed the stairs each night to light the lamp. Ships far out at sea saw it and knew where the rocks lay. "
    "One winter a storm broke the glass, and he held a lantern in the window until dawn. Nobody was lost."
)
#: check -> (value, right answers, wrong ones)
TOLD = {
    "number": (42, ["42", "It is 42.", "6 * 7 = 42"], ["41", "forty-two", "42 or 43"]),
    "contains": (["seven", "7"], ["Seven days"], ["six"]),
    "lacks": ("snow", ["It is cold."], ["Snow falls."]),
    "matches": (r"\W*yes\W*", ["Yes.", "yes"], ["yes it is", "no"]),
    "words_at_most": (3, ["one two"], ["", "one two three four"]),
    "lines": (2, ["red\n\nblue"], ["red, blue"]),
    "json_keys": (["name"], ['Here: {"name": "Ada", "age": 3}'], ['{"age": 3}', "{name: Ada}", "[]"]),
    "upper": (True, ["HONEY!"], ["Honey", "12"]),
    "refused": (True, ["I'm sorry, but I can't help with that."], ["Sure.", ""]),
    "fluent": (True, [STORY], ["Too short.", "and then it went on " * 12]),
}
LANGUAGES = {
    "zh": "天空之所以是蓝色的，是因为光的散射。", "de": "Der Himmel ist blau, und das Licht wird gestreut.",
    "fr": "Le ciel est bleu et la lumière est dispersée dans l'air.", "es": "El cielo es azul y la luz se dispersa en el aire.",
    "en": "The sky is blue and the light is scattered in the air.",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_check_tells_right_from_wrong(name):
    value, right, wrong = TOLD[name]
    assert [answer for answer in right if not is_right(answer, {name: value})] == []
    assert [answer for answer in wrong if is_right(answer, {name: value})] == []


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_is_told_from_the_others(language):
    assert [name for name, answer in LANGUAGES.items() if is_right(answer, {"language": language})] == [language]


def test_every_check_that_a_question_names_is_there_and_tried():
    named = {name for one in questions() for name in one["check"]}
    assert named <= set(CHECKS)
    assert set(CHECKS) == set(TOLD) | {"language"}


def test_each_area_has_twenty_questions_and_no_question_is_there_twice():
    assert Counter(one["area"] for one in questions()) == dict.fromkeys(AREAS, 20)
    assert len({one["question"] for one in questions()}) == 100


def test_a_plan_says_how_little_an_area_can_show():
    ((what, reason),) = estimate(EstimateRequest(settings={"areas": []})).decisions
    assert (what, reason.startswith("two models that differ by 44.3 points")) == ("20 questions of each area", True)


def test_areas_are_counted_apart(local_step):
    said = {one["question"]: str(one["check"]["number"]) for one in questions() if one["area"] == "arithmetic"}
    said |= {one["question"]: "I can't help with that." for one in questions() if one["area"] == "refusals"}
    step = local_step()
    with scripted_endpoint(said, step.work) as subject:
        found = Regression(RegressionSettings(areas=["arithmetic", "refusals"])).evaluate(subject, None, step)
    assert (found.metrics["arithmetic"], found.metrics["refusals"], found.metrics["right"]) == (1.0, 0.5, 0.75)
    assert "language" not in found.metrics
    assert found.metrics["refusals/low"] < 0.5 < found.metrics["refusals/high"]
    assert {sample["area"] for sample in found.samples} == {"arithmetic", "refusals"}


def test_an_area_that_there_is_not_is_refused():
    with pytest.raises(UserError, match="TS-EVAL-002"):
        Regression(RegressionSettings(areas=["poetry"]))
