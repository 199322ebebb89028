"""Plugins that may stop a step, and those that a configuration requires."""

from __future__ import annotations

import dataclasses

import pytest
from tiny_listeners import HANGING
from tiny_plans import step

from tunesmith.errors import UserError


def test_a_listener_may_stop_a_step(listening) -> None:
    place = listening("@hookimpl\ndef step_starting(step):\n    raise UserError('ACME-001', 'needs an approval', fix='Ask.')")
    outcome = place.run(step("a", to=2))
    assert (outcome.state, outcome.error.code, outcome.exit_status) == ("failed", "ACME-001", 2)


def test_a_required_listener_that_fails_to_decide_stops_the_step(listening) -> None:
    place = listening("@hookimpl\ndef step_starting(step):\n    raise OSError('the board is out')")
    place = dataclasses.replace(place, required=(place.plugins[0].distribution,))
    outcome = place.run(step("a", to=2))
    assert (outcome.state, outcome.error.code, outcome.error.why) == ("failed", "TS-PLUGIN-024", "OSError: the board is out")


def test_a_run_does_not_begin_without_a_required_listener(listening) -> None:
    place = listening("import tiny_missing\n@hookimpl\ndef run_started(run): pass")
    place = dataclasses.replace(place, required=(place.plugins[0].distribution,))
    with pytest.raises(UserError, match="TS-PLUGIN-023"):
        place.run(step("a", to=2))
    assert not (place.home / "runs").exists()


def test_a_required_listener_that_hangs_stops_the_step(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.plugins.time_limit.LIMIT", 0.3)
    place = listening(HANGING)
    outcome = dataclasses.replace(place, required=(place.plugins[0].distribution,)).run(step("a", to=2))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-PLUGIN-024")


def test_a_required_listener_that_leaves_while_it_is_imported_closes_the_gate(listening) -> None:
    place = listening("import sys\nsys.exit(0)\n@hookimpl\ndef run_started(run): pass")
    with pytest.raises(UserError, match="TS-PLUGIN-023"):
        dataclasses.replace(place, required=(place.plugins[0].distribution,)).run(step("a", to=2))
