"""Each planted fault is one, each harmless change is none: transformers says so, by what both models answer, render and end with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .behaviour import OTHER, SAME, distance
from .case import Case
from .cases import FAULTS, HARMLESS

#: how far harmless changes may go, in nats, by the bits of the format: rounding sends some tokens to other experts
ROUNDED = {None: SAME, 8: 0.02}


@pytest.mark.slow
@pytest.mark.parametrize("case", FAULTS.values(), ids=list(FAULTS))
def test_a_planted_fault_changes_what_it_says(case: Case, parent_model: Callable[[str], Path], tmp_path: Path) -> None:
    parent = parent_model(case.parent)

    found = distance(parent, case.plant(parent, tmp_path / "child"))

    if case.shows == "unchanged":
        assert case.changed
        assert found.divergence < 1e-9  # training must change its model
    else:
        assert case.shows in found.aspects, found


@pytest.mark.slow
@pytest.mark.parametrize("case", HARMLESS.values(), ids=list(HARMLESS))
def test_a_harmless_change_changes_nothing(case: Case, parent_model: Callable[[str], Path], tmp_path: Path) -> None:
    parent = parent_model(case.parent)

    found = distance(parent, case.plant(parent, tmp_path / "child"))

    assert not found.aspects
    assert found.divergence <= ROUNDED[case.bits]
    assert found.agreement > 0.9


def test_there_are_enough_of_both_and_each_says_what_it_is() -> None:
    assert len(FAULTS) >= 20
    assert len(HARMLESS) >= 20
    assert not FAULTS.keys() & HARMLESS.keys()
    assert all(case.sentence.endswith(".") for case in (*FAULTS.values(), *HARMLESS.values()))
    assert {case.caught_by for case in FAULTS.values()} == {"audit", "gate"}
    assert 2 * max(ROUNDED.values()) < OTHER  # no case lies between
