"""The reward `math` with the real math-verify: what is equal as mathematics is right."""

from __future__ import annotations

import pytest

from tunesmith_math_reward.reward import Math
from tunesmith_math_reward.settings import MathSettings


@pytest.mark.parametrize(
    ("completion", "answer", "value"),
    [
        ("It is $\\frac{1}{2}$.", "0.5", 1.0),
        ("so \\boxed{\\frac{2}{4}}", "1/2", 1.0),
        ("It is 1,000.", 1000, 1.0),
        ("First 4, so it is 5.", "4", 0.0),
        ("", "4", 0.0),
        ("\\boxed{", "4", 0.0),
        ("4", "", None),
    ],
)
def test_what_is_equal_as_mathematics_is_right(completion: str, answer, value):
    assert Math(MathSettings()).score("p", completion, {"answer": answer}) == value


def test_latex_alone_where_that_is_asked_for():
    assert Math(MathSettings(extract="latex")).score("p", "It is 4.", {"answer": "4"}) == 0.0
    assert Math(MathSettings(extract="latex")).score("p", "It is \\boxed{4}.", {"answer": "4"}) == 1.0
