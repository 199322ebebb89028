"""Gates: a small grammar, checked before the run and applied after it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import TunesmithError
from tunesmith.planning.pipeline.gates import check_gate, parse_gate

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
OPS = st.sampled_from(["<=", "<", ">=", ">"])


@given(op=OPS, value=NUMBERS, step=NAMES | st.just(""), space=st.sampled_from(["", " ", "  "]), sign=st.sampled_from(["x", "X", "×", "*"]))
def test_what_is_written_is_what_is_understood(op, value, step, space, sign):
    gate = parse_gate("score", "loss", f"{op}{space}{value!r}" + (f"{space}{sign} {step}" if step else "") + space)
    assert (gate.op, gate.value, gate.relative_to) == (op, value, step)


@given(text=st.text(max_size=20) | st.text(alphabet="<>=x 0123456789.eE-+tune", max_size=20) | st.none() | st.integers() | st.floats())
def test_anything_else_is_a_coded_error(text):
    try:
        told, value = "TS-SPEC-011", parse_gate("score", "loss", text).value
    except TunesmithError as error:
        told, value = error.code if error.fix else "", 0.0
    assert told == "TS-SPEC-011"
    assert math.isfinite(value)


@given(op=OPS, value=NUMBERS, metrics=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.floats(width=32), min_size=1))
def test_a_gate_holds_exactly_when_the_comparison_does(op, value, metrics):
    checks = check_gate(parse_gate("g", "m", f"{op} {value!r}"), {name: {"m": number} for name, number in metrics.items()})
    expected = {"<=": lambda x: x <= value, "<": lambda x: x < value, ">=": lambda x: x >= value, ">": lambda x: x > value}[op]
    assert {check.source: check.holds for check in checks} == {name: expected(number) for name, number in metrics.items()}
    assert all(check.sentence for check in checks)


def test_a_relative_gate_compares_the_others_with_one():
    gate = parse_gate("score", "loss", "<= 1.05x base")
    checks = check_gate(gate, {"base": {"loss": 2.0}, "small": {"loss": 2.09}, "tiny": {"loss": 2.2}})
    assert [(check.source, check.holds) for check in checks] == [("small", True), ("tiny", False)]
    assert "loss of `tiny` is 2.2, not <= 2.1 (<= 1.05x base)" in checks[1].sentence


@pytest.mark.parametrize("metrics", [{"small": {}}, {"small": {"loss": math.nan}}, {"small": {"loss": 1.0}, "base": {}}])
def test_a_number_that_is_missing_does_not_hold(metrics):
    checks = check_gate(parse_gate("score", "loss", "<= 9x base"), metrics)
    assert [check.holds for check in checks] == [False]
    assert "can't be checked" in checks[0].sentence


def test_a_metric_that_is_not_there_is_answered_with_one_that_is():
    (check,) = check_gate(parse_gate("tune", "train_los", "<= 9"), {"tune": {"train_loss": 1.0}})
    assert check.sentence.endswith("(Did you mean `train_loss`?)")
