"""The rewards that need no library."""

from __future__ import annotations

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_rewards.rewards.exact import Exact
from tunesmith_rewards.rewards.format import Format
from tunesmith_rewards.rewards.length import Length
from tunesmith_rewards.rewards.regex import Regex
from tunesmith_rewards.rewards.settings import ExactSettings, FormatSettings, LengthSettings, RegexSettings


def test_an_answer_is_right_but_for_spaces_and_capitals():
    assert Exact(ExactSettings()).score("p", " forty\n Two ", {"answer": "Forty two"}) == 1.0
    assert Exact(ExactSettings(case_sensitive=True)).score("p", "forty Two", {"answer": "Forty two"}) == 0.0
    assert Exact(ExactSettings(column="n")).score("p", "42", {"n": 42}) == 1.0
    with pytest.raises(TunesmithError, match="TS-REWARD-004"):
        Exact(ExactSettings()).score("p", "42", {})


def test_the_last_match_is_the_answer_where_it_is_extracted():
    reward = Exact(ExactSettings(extract="####\\s*(\\S+)"))
    assert reward.score("p", "#### 41, no: #### 42", {"answer": "42"}) == 1.0
    assert reward.score("p", "42", {"answer": "42"}) == 0.0
    assert Exact(ExactSettings(extract="\\d+")).score("p", "it is 42.", {"answer": 42}) == 1.0


def test_a_pattern_stands_anywhere_or_is_the_whole():
    assert Regex(RegexSettings("b.c")).score("p", "ab\ncd", {}) == 1.0
    assert Regex(RegexSettings("b.c", "fullmatch")).score("p", "ab\ncd", {}) == 0.0


@pytest.mark.parametrize(
    ("completion", "all_of_it", "partial"),
    [
        ("<think>a</think>\n<answer>b</answer>\n", 1.0, 1.0),
        ("<think>a</think><answer>b", 0.0, 0.0),  # what is not closed stands outside
        ("<think>a</think>", 0.0, 0.5),
        ("<answer>b</answer><think>a</think>", 0.0, 0.0),
        ("<think> </think><answer>b</answer>", 0.0, 0.0),
        ("<think>a</think><answer>b</answer><answer>c</answer>", 0.0, 0.0),
        ("<think>a</think> so <answer>b</answer>", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_tags_stand_once_each_in_their_order_with_something_in_them(completion: str, all_of_it: float, partial: float):
    assert Format(FormatSettings()).score("p", completion, {}) == all_of_it
    assert Format(FormatSettings(partial=True)).score("p", completion, {}) == partial


def test_text_outside_of_the_tags_is_let_pass_where_that_is_said():
    assert Format(FormatSettings(("answer",), outside=True)).score("p", "It is <answer>b</answer>.", {}) == 1.0


@pytest.mark.parametrize(("words", "value"), [(0, 0.5), (1, 0.75), (2, 1.0), (6, 1.0), (7, 0.75), (10, 0.0), (99, 0.0)])
def test_length_falls_in_a_straight_line_beyond_its_bounds(words: int, value: float):
    assert Length(LengthSettings(2, 6, 4)).score("p", "word " * words, {}) == value
    assert Length(LengthSettings(2, 6, 0, "characters")).score("p", "a" * words, {}) == float(2 <= words <= 6)


@pytest.mark.parametrize(
    ("settings", "values"),
    [(ExactSettings, {"extract": "("}), (RegexSettings, {"pattern": "["}), (FormatSettings, {"tags": ()}),
     (FormatSettings, {"tags": ("<a>",)}), (LengthSettings, {"at_least": 3, "at_most": 2})],
)  # fmt: skip
def test_settings_that_say_nothing_are_refused(settings, values):
    with pytest.raises(TunesmithError, match="TS-REWARD-002"):
        settings(**values)
