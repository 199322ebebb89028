"""The bundled environments: what they say, and what that is worth."""

from __future__ import annotations

import json

import pytest

from tunesmith_rewards.api import tool_calls
from tunesmith_rewards.environments.arithmetic import compute
from tunesmith_rewards.environments.calculator import Calculator
from tunesmith_rewards.environments.guess_number import Guess
from tunesmith_rewards.environments.settings import CalculatorSettings, GuessSettings

ROW = {"messages": [{"role": "user", "content": "What is 6 times 7?"}], "answer": "42"}


def call(expression, name="calculator"):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': {'expression': expression}})}\n</tool_call>"


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("6 * 7", "42"),
        ("(3 + 4) / 2", "3.5"),
        ("2 ** 10", "1024"),
        ("2^3", "8"),
        ("-7 // 2", "-4"),
        ("1/3", "0.3333333333"),
        ("6 × 7", "42"),
    ],
)
def test_sums_are_computed(expression, result):
    assert compute(expression) == result


@pytest.mark.parametrize(
    "expression", ["9 ** 9 ** 9", "1 / 0", "__import__('os')", "", "1" * 300, "(" * 150, "True + 1", "1e300 * 1e300", "a", "(-8) ** 0.5"]
)
def test_what_is_no_sum_is_refused_in_no_time(expression):
    with pytest.raises(ValueError, match=r"."):
        compute(expression)


def test_the_calculator_answers_calls_and_judges_the_number_that_comes_of_them():
    environment = Calculator(CalculatorSettings(call_reward=0.25, system_prompt="Compute."))
    opened = environment.reset(ROW, 1)
    assert [one["role"] for one in opened.messages] == ["system", "user"]
    assert opened.tools[0]["function"]["name"] == "calculator"
    first = environment.step(call("6 * 7") + call("1 / 0") + call("1", "abacus"))
    assert [one["content"] for one in first.messages] == ["42", "Error: division by zero.", "Error: there is no tool abacus."]
    assert (first.reward, first.done) == (0.25, False)
    assert environment.step(call("6 * 8")).reward is None
    last = environment.step("It is 42.")
    assert (last.reward, last.done) == (1.0, True)
    environment.reset(ROW, 1)
    assert environment.step(call("6 *")).reward is None
    assert environment.step("It is 42, or 4.").reward == 0.0
    assert environment.end() == 0.0


def test_a_number_is_found_by_halving_and_each_guess_costs():
    environment = Guess(GuessSettings(highest=100, guess_cost=0.05))
    environment.reset(ROW, 5)
    low, high, guesses = 1, 100, 0
    while not (said := environment.step(f"I say {(low + high) // 2}")).done:
        low, high = ((low + high) // 2 + 1, high) if said.messages[0]["content"] == "Higher." else (low, (low + high) // 2 - 1)
        guesses += 1
    assert said.reward == pytest.approx(1 - 0.05 * guesses)
    assert guesses < 7
    assert environment.step("hm").messages[0]["content"] == "Write a number."


def test_calls_are_read_as_models_write_them():
    said = {"name": "f", "arguments": {"x": 1}}
    for text in (
        f"<tool_call>{json.dumps(said)}</tool_call>", f"So: <tool_call>\n{json.dumps(said)}", f"```json\n{json.dumps(said)}\n```",
        json.dumps({"name": "f", "parameters": {"x": 1}}), json.dumps({"name": "f", "arguments": '{"x": 1}'}),
    ):  # fmt: skip
        assert tool_calls(text) == [("f", {"x": 1})], text
    for text in ("", "{}", "[1]", '{"name": 3}', "<tool_call>{</tool_call>", '{"name": "f", "arguments": [1]}', "[" * 5000):
        assert tool_calls(text) == [], text
