"""The machine is asked through its device backends."""

import os
import sys
from dataclasses import replace

import pytest

from tunesmith.planning.placement.devices import probe


def test_each_backend_tells_what_it_found(world, make_device, monkeypatch):
    class Abacus:
        def probe(self):
            return [make_device()]

    class Loom:
        def probe(self):
            return []

    monkeypatch.setattr(sys.modules["made_up"], "Abacus", Abacus, raising=False)
    monkeypatch.setattr(sys.modules["made_up"], "Loom", Loom, raising=False)
    found = probe(world())
    assert {name: len(devices) for name, devices in found.items()} == {"abacus": 1, "loom": 0}
    assert found.warnings == []


def test_a_backend_that_fails_has_nothing_and_is_told_of(world, make_device, monkeypatch, planner):
    class Abacus:
        def probe(self):
            raise OSError("stuck beads")

    monkeypatch.setattr(sys.modules["made_up"], "Abacus", Abacus, raising=False)
    found = probe(world())
    assert found["abacus"] == ()
    assert found["loom"] == ()
    assert any("stuck beads" in warning for warning in found.warnings)
    assert any("made_up" in warning or "Loom" in warning for warning in found.warnings)
    plan = planner("model: shelf://base\nsteps:\n  a: {quantize: binary}\n", devices=found)
    assert set(found.warnings) <= set(plan.warnings)


def test_what_does_not_work_is_told_and_a_device_that_is_of_no_use_is_not_taken(world, make_device, monkeypatch, planner):
    class Abacus:
        def probe(self):
            return [replace(make_device(), remarks=("the third bead counts wrong",), usable=False)] * 2

    class Loom:
        def probe(self):
            return [replace(make_device(), remarks=("a thread is loose",))]

    monkeypatch.setattr(sys.modules["made_up"], "Abacus", Abacus, raising=False)
    monkeypatch.setattr(sys.modules["made_up"], "Loom", Loom, raising=False)
    found = probe(world())
    assert (found["abacus"], len(found["loom"])) == ((), 1)
    assert sorted(found.warnings) == ["a thread is loose", "the third bead counts wrong"]
    plan = planner("model: shelf://base\nsteps:\n  a: {quantize: binary}\n", devices=found)
    assert set(found.warnings) <= set(plan.warnings)
    assert plan.steps[0].placement.device != "abacus"


@pytest.mark.parametrize(
    "fate", [lambda: os._exit(0), lambda: sys.exit(0), lambda: os.kill(os.getpid(), 9)], ids=["exits", "leaves", "killed"]
)
def test_a_backend_that_ends_its_process_ends_nothing_else(world, make_device, monkeypatch, fate):
    class Abacus:
        def probe(self):
            fate()

    class Loom:
        def probe(self):
            return [make_device()]

    monkeypatch.setattr(sys.modules["made_up"], "Abacus", Abacus, raising=False)
    monkeypatch.setattr(sys.modules["made_up"], "Loom", Loom, raising=False)
    found = probe(world())
    assert (found["abacus"], len(found["loom"])) == ((), 1)
    (warning,) = found.warnings
    assert "`abacus`" in warning
