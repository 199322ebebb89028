"""Tests of what the kit makes of a step that was asked to stop: by the clock, and never more lenient than that."""

from __future__ import annotations

from typing import Any

import pytest

from tunesmith.errors import TunesmithError
from tunesmith_sdk.conformance.bench.worker_process import Ending
from tunesmith_sdk.conformance.checks import CheckFailed
from tunesmith_sdk.conformance.hosted.steps import PATIENCE, in_time


class Asked:
    """A worker that was asked to stop; a fake."""

    def __init__(self, error: TunesmithError | None = None) -> None:
        self._error = error

    def error(self) -> TunesmithError | None:
        return self._error

    def last_words(self) -> str:
        return ""


def judged(ending: Ending, worker: Any = None) -> bool:
    return in_time(ending, worker or Asked())


def test_what_stops_in_time_has_passed_whatever_the_machine_does():
    assert judged(Ending(True, PATIENCE - 0.1, 0.0))
    assert judged(Ending(True, PATIENCE - 0.1, 4.0))


@pytest.mark.parametrize("done", [True, False])
def test_what_had_the_time_and_has_not_stopped_has_failed(done: bool):
    with pytest.raises(CheckFailed, match="still works"):
        judged(Ending(done, PATIENCE + 0.1, 0.0))
    with pytest.raises(CheckFailed, match="still works"):
        judged(Ending(done, 4 * PATIENCE, 2.9 * PATIENCE))


@pytest.mark.parametrize("done", [True, False])
def test_what_stops_late_for_want_of_a_processor_is_tried_again_and_not_passed(done: bool):
    assert not judged(Ending(done, PATIENCE + 1.0, 2.0))


def test_what_fails_of_it_has_failed_however_soon():
    with pytest.raises(CheckFailed, match="asked to stop, it fails"):
        judged(Ending(True, 0.1, 0.0), Asked(TunesmithError("TS-RUN-010", "KeyError")))
