"""What is written on the command line: spaces and budgets."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_tune.api import Parameter
from tunesmith_tune.api.space import size
from tunesmith_tune.budget import Budget, read_budget
from tunesmith_tune.space_syntax import read_space

PLACE = "steps.tune.settings.learning_rate"


@pytest.mark.parametrize(
    ("space", "parameter"),
    [
        ("log(1e-5, 1e-3)", Parameter(PLACE, "log", 1e-5, 1e-3)),
        ("uniform(0,0.3)", Parameter(PLACE, "uniform", 0.0, 0.3)),
        ("int(4,64)", Parameter(PLACE, "int", 4, 64)),
        ("int(4,63,4)", Parameter(PLACE, "int", 4, 60, step=4)),
        ("choice(adamw, lion)", Parameter(PLACE, "choice", choices=("adamw", "lion"))),
        ("8|16", Parameter(PLACE, "choice", choices=(8, 16))),
        ("true|false|1.5", Parameter(PLACE, "choice", choices=(True, False, 1.5))),
    ],
)
def test_a_space_is_read_as_it_is_meant(space: str, parameter: Parameter):
    assert read_space([f"{PLACE}={space}"]) == (parameter,)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("learning_rate", "PATH=SPACE"),
        (f"{PLACE}=1e-4", f"--set {PLACE}=1e-4"),
        (f"{PLACE}=logg(1,2)", "`log`"),
        (f"{PLACE}=log(0,1)", "log(1e-6,1)"),
        (f"{PLACE}=log(1e-3,1e-5)", "least first"),
        (f"{PLACE}=log(1e-5)", "log(1e-5,1e-3)"),
        (f"{PLACE}=int(1.5,3)", "whole"),
        (f"{PLACE}=int(1,3,0)", "at least 1"),
        (f"{PLACE}=uniform(a,b)", "a|b|c"),
        (f"{PLACE}=int(4,64,100)", "A step of 100 leads from 4 beyond 64"),
        (f"{PLACE}=8|8", "different"),
    ],
)
def test_what_is_no_space_is_told_with_what_to_write(written: str, told: str):
    with pytest.raises(UserError, match="TS-TUNE-001") as caught:
        read_space([written])
    assert told in caught.value.why + caught.value.fix


def test_a_place_has_one_space():
    with pytest.raises(UserError, match="TS-TUNE-001"):
        read_space([f"{PLACE}=1|2", f"{PLACE}=3|4"])


_RANGE = st.tuples(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3)).filter(lambda ends: ends[0] < ends[1])


@given(_RANGE, st.sampled_from(["log", "uniform"]), st.integers(1, 9), st.integers())
def test_what_is_drawn_or_spread_lies_within_the_range(ends, form: str, count: int, seed: int):
    parameter = Parameter("steps.a", form, *ends)
    assert parameter.has(parameter.draw(Random(seed)))
    spread = parameter.spread(count)
    assert all(map(parameter.has, spread))
    assert count == 1 or (spread[0], spread[-1]) == ends


@given(st.integers(-50, 50), st.integers(1, 60), st.integers(1, 7), st.integers(1, 9), st.integers())
def test_whole_numbers_are_steps_apart(low: int, width: int, step: int, count: int, seed: int):
    (parameter,) = read_space([f"steps.a=int({low},{low + width},{step})"]) if width >= step else (Parameter("a", "int", low, low, step),)
    assert parameter.has(parameter.draw(Random(seed)))
    spread = parameter.spread(count)
    assert all(map(parameter.has, spread))
    assert len(set(spread)) == len(spread) <= max(1, count)


def test_a_space_is_as_large_as_its_parts_together():
    assert size(read_space(["a.b=int(1,4)", "a.c=x|y|z"])) == 12
    assert size(read_space(["a.b=int(1,4)", "a.c=uniform(0,1)"])) == float("inf")


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        (["10", "trials"], Budget(10)),
        (["1 trial"], Budget(1)),
        (["4h"], Budget(0, 14400.0)),
        (["20", "trials", "90m"], Budget(20, 5400.0)),
        (["2", "device-hours"], Budget(0, 0.0, 7200.0)),
    ],
)
def test_a_budget_is_read_as_it_is_meant(words: list[str], budget: Budget):
    assert read_budget(words) == budget


@pytest.mark.parametrize("text", ["", "10", "soon", "0 trials", "1.5 trials", "4h 5h", "4 hours", "4h trials"])
def test_what_is_no_budget_is_refused(text: str):
    with pytest.raises(UserError, match="TS-TUNE-004"):
        read_budget(text.split())
