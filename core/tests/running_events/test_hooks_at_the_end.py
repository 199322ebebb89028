"""The end of a run, as plugins that listen are told of it."""

from __future__ import annotations

from tiny_listeners import seen
from tiny_plans import plan, step

from tunesmith.planning.plan import Gate
from tunesmith_sdk.testing.recorder import Recorder

FINISHED = """
@hookimpl
def run_finished(run, view):
    seen.append((run.id, view.row.state, {name: step.row.state for name, step in view.steps.items()}, view.series("a"),
                 [gate.passed for gate in view.gates], view.size("a"), [n for n in view.steps if view.artifact(n)],
                 (view.row.error or {}).get("code", "")))
"""


def test_a_listener_is_told_how_a_run_ended_with_a_view_of_all_that_is_known(listening) -> None:
    place = listening(FINISHED)
    gates = (Gate("a", "last", ">=", 1.0, text=">= 1"), Gate("b", "last", ">=", 1.0, text=">= 1"))
    outcome = place.run(plan=plan(step("a", to=2), step("b", reads="a", fail="user"), gates=gates))
    ((run, state, steps, series, passed, size, there, code),) = seen(place)
    assert (run, state, code) == (outcome.run, "failed", "TINY-001")
    assert steps == {"a": "done", "b": "failed"}
    assert series["square"] == [(0, 0.0), (1, 1.0)]
    assert passed == [True], "of the group that is over"
    assert size == outcome.steps["a"].size > 0
    assert there == ["a"]


def test_a_run_that_stays_to_serve_is_told_of_then_and_at_its_end(listening) -> None:
    place = listening(FINISHED)
    outcome, _ = place.cancelled(step("a", to=2), step("api", "answer", reads="a"), when="service_ready")
    assert outcome.state == "done"
    assert [entry[1] for entry in seen(place)] == ["serving", "done"]


def test_a_listener_that_fails_at_the_end_of_a_run_changes_nothing_of_it(listening) -> None:
    place = listening("@hookimpl\ndef run_finished(run): raise OSError('the disk is full')", FINISHED)
    told = Recorder()
    assert place.run(step("a", to=2), reporter=told).exit_status == 0
    assert [entry[1] for entry in seen(place)] == ["done"]
    (warning,) = [message for _, level, message in told.of("log") if level == "warning"]
    assert warning.endswith("failed in run_finished: OSError: the disk is full")


def test_a_page_that_a_plugin_wrote_is_the_runs_until_the_run_goes_on(listening) -> None:
    place = listening("""
        @hookimpl
        def run_finished(run, view):
            if view.row.state == "failed":
                (view.directory / "report.html").write_text("a page")
    """)
    first = place.run(step("a", to=2, fail="user"))
    assert first.report.read_text() == "a page"
    assert place.run(step("a", to=2), resume=first.run).report is None
