"""Plugins that listen and fail, hang or want to end the process: the run goes on, and the others are told."""

from __future__ import annotations

import pytest
from tiny_listeners import HANGING, WATCH, seen
from tiny_plans import step

from tunesmith_sdk.testing.recorder import Recorder

BROKEN = """
@hookimpl
def run_started(run):
    raise ValueError("not my day")

@hookimpl
def step_starting(step):
    raise KeyError("nor this")

@hookimpl
def step_finished(step):
    1 / 0
"""


def test_a_broken_listener_is_told_of_and_the_others_still_hear(listening) -> None:
    place = listening(BROKEN, WATCH)
    reporter = Recorder()
    assert place.run(step("a", to=2), reporter=reporter).state == "done"
    warnings = [message for _, level, message in reporter.of("log") if level == "warning"]
    assert [w.split(" failed in ")[1] for w in warnings] == [
        "run_started: ValueError: not my day", "step_starting: KeyError: 'nor this'", "step_finished: ZeroDivisionError: division by zero",
    ]  # fmt: skip
    assert len(seen(place)) == 4


@pytest.mark.parametrize(
    "body", ["import tiny_missing\n@hookimpl\ndef run_started(run): pass", "@hookimpl\ndef run_started(surprise): pass"]
)
def test_a_listener_that_does_not_fit_is_told_of(listening, body: str) -> None:
    reporter = Recorder()
    assert listening(body).run(step("a", to=2), reporter=reporter).state == "done"
    assert "can't listen to this run" in reporter.of("log")[0][2]


def test_a_listener_that_hangs_is_left_behind_and_the_others_still_hear(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.plugins.time_limit.LIMIT", 0.3)
    place = listening(HANGING, WATCH)
    reporter = Recorder()
    assert place.run(step("a", to=2), step("b", reads="a", to=2), reporter=reporter).state == "done"
    (told,) = [message for _, level, message in reporter.of("log") if level == "warning"]
    assert "failed in step_starting: TimeoutError: it did not return within 0.3 seconds" in told
    assert seen(place)[0] == "a", "it was not called again"
    assert len(seen(place)) == 1 + 1 + 2 * 3


@pytest.mark.parametrize("end", ["sys.exit(0)", "raise KeyboardInterrupt", "raise SystemExit"])
def test_a_listener_does_not_end_the_run(listening, end: str) -> None:
    place = listening(f"import sys\n@hookimpl\ndef run_started(run):\n    {end}", WATCH)
    reporter = Recorder()
    assert place.run(step("a", to=2), reporter=reporter).state == "done"
    assert "it tried to end the process" in reporter.of("log")[0][2]
    assert len(seen(place)) == 4


@pytest.mark.parametrize("half", ["before", "after"])
def test_a_wrapper_that_fails_is_as_if_it_was_not_there(listening, half: str) -> None:
    place = listening(f"""
        @hookimpl(wrapper=True)
        def step_failed(step, error):
            if {half == "before"}:
                raise ValueError("no")
            yield
            raise ValueError("no")
    """, "@hookimpl\ndef step_failed(step, error): return Remedy('fixed', {'fail': ''})")  # fmt: skip
    reporter = Recorder()
    assert place.run(step("a", to=2, fail="crash"), reporter=reporter).state == "done"
    assert any("failed in step_failed: ValueError: no" in message for _, _, message in reporter.of("log"))
