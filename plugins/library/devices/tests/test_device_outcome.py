"""What a self-test found is remembered, and leaves of a device what it found to be right."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Device
from tunesmith_devices import outcome, with_outcome

DEVICE = Device("Beads 3", 1000, 500, 4, ("float32", "float16", "bfloat16"), {"driver": "1"})


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path))
    monkeypatch.setattr(outcome, "_torch", lambda: "2.13.0")


def case(dtype, why="", operator="linear"):
    return {"operator": operator, "shape": "one row", "dtype": dtype, "passed": not why, "why": why}


def test_nothing_is_said_of_a_device_that_was_not_tried_unless_few_have():
    assert with_outcome("abacus", [DEVICE]) == [DEVICE]
    (reminded,) = with_outcome("abacus", [DEVICE], remind=True)
    assert (reminded.usable, reminded.dtypes) == (True, DEVICE.dtypes)
    assert "not tried with torch 2.13.0" in reminded.remarks[0]


def test_a_device_that_is_right_has_nothing_to_remark():
    outcome.remember("abacus", DEVICE, "2.13.0+cpu", [case("float32"), case("bfloat16")])
    (found,) = with_outcome("abacus", [DEVICE], remind=True)
    assert (found.remarks, found.dtypes, found.usable) == ((), DEVICE.dtypes, True)
    assert found.facts["self_test"] == {"torch": "2.13.0", "cases": 2, "wrong": 0}


def test_a_type_of_numbers_that_is_wrong_is_left_out_and_told():
    wrong = [case("bfloat16", "the gradient of input 1 is not finite", f"operator {number}") for number in range(5)]
    outcome.remember("abacus", DEVICE, "2.13.0", [case("float32"), *wrong])
    (found,) = with_outcome("abacus", [DEVICE])
    assert (found.dtypes, found.usable, found.facts["refused_dtypes"]) == (("float32", "float16"), True, ["bfloat16"])
    (remark,) = found.remarks
    assert "bfloat16 is not used on it" in remark
    assert "operator 2 (one row): the gradient of input 1 is not finite; and 2 more" in remark


def test_a_device_that_is_wrong_in_float32_is_not_used():
    outcome.remember("abacus", DEVICE, "2.13.0", [case("float32", "RuntimeError: bead lost"), case("float16")])
    (found,) = with_outcome("abacus", [DEVICE])
    assert not found.usable
    assert "nothing is computed on it: linear (one row): RuntimeError: bead lost" in found.remarks[0]


@pytest.mark.parametrize("change", ["torch", "driver", "name", "backend"])
def test_an_outcome_counts_for_the_same_device_driver_and_torch_alone(change, monkeypatch):
    outcome.remember("abacus", DEVICE, "2.13.0", [case("float32", "wrong")])
    if change == "torch":
        monkeypatch.setattr(outcome, "_torch", lambda: "2.14.0")
    device = {"driver": Device("Beads 3", 1000, 500, 4, facts={"driver": "2"}), "name": Device("Beads 4", 1000, 500, 4)}.get(change, DEVICE)
    assert with_outcome("loom" if change == "backend" else "abacus", [device]) == [device]


def test_a_note_that_was_damaged_counts_as_none(tmp_path):
    (tmp_path / outcome.NOTE).write_text("{")
    assert with_outcome("abacus", [DEVICE]) == [DEVICE]
    outcome.remember("abacus", DEVICE, "2.13.0", [case("float32")])
    assert with_outcome("abacus", [DEVICE])[0].facts["self_test"]["cases"] == 1
