"""`tunesmith doctor --self-test`: each device is tried in a process of its own, which may end as it will."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunesmith.contracts import Device
from tunesmith.planning.estimates.estimators import Estimators, NoEstimate
from tunesmith_cli.commands.doctor_self_test import self_test_text, self_tests

MODULE = """
import os

def case(dtype, operator, why=""):
    return {"device": "Beads 3", "operator": operator, "shape": "one row", "dtype": dtype, "passed": not why, "why": why}

def run(backend, torch_name, devices):
    assert (backend, torch_name, devices[0].dtypes, devices[0].usable) == ("abacus", "beads", ("float32", "bfloat16"), False)
    print("a library that talks")
    yield case("float32", "linear")
    yield case("bfloat16", "linear")
    yield case("bfloat16", "attention", "the result is not finite")

def dies(*_):
    yield case("float32", "linear")
    os._exit(7)

def lacks(*_):
    import a_library_of_beads

def breaks(*_):
    raise OSError("stuck beads")
"""


@pytest.fixture
def tested(tmp_path, monkeypatch):
    (tmp_path / "bead_test.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = [Device("Beads 3", 1000, 500, 1, ("float32", "bfloat16"), usable=False)]  # an earlier test found it wrong: it is tried anew

    def with_facts(facts, devices=found):
        def asked(self, record):
            if devices is None:
                raise NoEstimate("stuck")
            return devices

        monkeypatch.setattr(Estimators, "devices", asked)
        record = SimpleNamespace(name="abacus", facts={"torch": "beads"} | facts)
        return self_tests(SimpleNamespace(providers=lambda kind: {"abacus": record}))

    return with_facts


def test_every_case_is_told_and_the_page_counts_them_and_names_the_wrong_ones(tested):
    found = tested({"self_test": "bead_test:run"})
    assert (len(found["abacus"]["cases"]), found["abacus"]["problem"]) == (3, "")
    text = "\n".join(self_test_text(found))
    assert "1 of 1 right" in text
    assert "1 of 2 right" in text
    assert "abacus  bfloat16  attention (one row): the result is not finite" in text


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("dies", "its process ended with status 7 after linear (one row, float32)"),
        ("lacks", "`a_library_of_beads`, which it computes with, is not installed here"),
        ("breaks", "OSError: stuck beads"),
    ],
)
def test_a_test_that_comes_to_no_end_says_why(tested, target, problem):
    found = tested({"self_test": f"bead_test:{target}"})["abacus"]
    assert found["problem"] == f"the self-test of `abacus` was not made: {problem}"
    assert found["problem"] in "\n".join(self_test_text({"abacus": found}))


def test_a_backend_without_one_is_told_and_one_without_devices_is_not_asked(tested):
    assert tested({})["abacus"]["problem"] == "the device backend `abacus` has no self-test"
    assert tested({"self_test": "bead_test:run"}, devices=[]) == {}
    assert tested({"self_test": "bead_test:run"}, devices=None) == {}
