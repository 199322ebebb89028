"""Providers that a pipeline names to be told of its runs: their answers do not count."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
from tiny_listeners import seen, warnings
from tiny_plans import Place, plan, step

from tunesmith.planning.plan import Choice
from tunesmith.plugins.records import ProviderRecord
from tunesmith_sdk.testing.recorder import Recorder

CHOSEN = """
class Diary:
    def __init__(self, settings=None):
        self.settings = settings

    def run_started(self, run):
        seen.append(("run", run.pipeline, str(run.base)))

    def step_starting(self, step):
        raise UserError("ACME-001", "not today", fix="Ask.")

    def metrics_reported(self, step, points):
        seen.append(("points", len(points)))

    def step_finished(self, step):
        1 / 0

    def step_failed(self, step, error):
        seen.append(("failed", error.code))
        return Remedy("it has no say", {"fail": ""})

    def run_finished(self, run, view):
        seen.append(("over", view.row.state))
"""


def chosen(place: Place, *, state: str | None = None) -> dict:
    """What a plan says of a provider that is to be told."""
    (plugin,) = place.plugins
    record = ProviderRecord("diary", "book", "", f"{plugin.module}:Diary", plugin.distribution, "1.0")
    place.plugins = (dataclasses.replace(plugin, providers=(record,), events=(), state=state or plugin.state),)
    return {"listeners": (Choice(record),)}


def test_a_provider_that_was_chosen_is_told_and_its_answers_do_not_count(listening) -> None:
    place, reporter = listening(CHOSEN), Recorder()
    made = plan(step("a", to=2), step("b", to=1, fail="crash"), base=Path("/house"), **chosen(place))
    assert place.run(plan=made, reporter=reporter).state == "failed"
    assert seen(place) == [("run", "tiny", "/house"), ("points", 2), ("points", 1), ("failed", "TS-RUN-010"), ("over", "failed")]
    assert sorted(told.split(": ", 1)[0] for told in warnings(reporter)) == [
        "the diary book failed in step_finished", "the diary book failed in step_starting",
    ]  # fmt: skip


def test_one_that_was_not_chosen_is_not_imported(listening) -> None:
    place = listening("raise SystemExit('imported')\n" + CHOSEN)
    chosen(place)
    assert place.run(step("a", to=2)).state == "done"
    assert place.plugins[0].module not in sys.modules


@pytest.mark.parametrize(("body", "state", "told"), [
    ("import tiny_missing\n" + CHOSEN, None, "tiny_missing"), (CHOSEN, "denied", "may not be used"),
    (CHOSEN + "\n    def run_started(self, surprise): pass\n", None, "surprise"),
])  # fmt: skip
def test_one_that_can_not_listen_is_told_of_and_stops_nothing(listening, body: str, state: str | None, told: str) -> None:
    place, reporter = listening(body), Recorder()
    made = plan(step("a", to=2), **chosen(place, state=state))
    assert place.run(plan=made, reporter=reporter).state == "done"
    (warning,) = warnings(reporter)
    assert warning.startswith("the diary book can't listen to this run: ")
    assert told in warning


def test_one_that_hangs_is_left_behind_and_not_called_again(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.plugins.time_limit.LIMIT", 0.2)
    body = "import time\n" + CHOSEN.replace('seen.append(("run", run.pipeline, str(run.base)))', "time.sleep(30)")
    place, reporter = listening(body), Recorder()
    assert place.run(plan=plan(step("a", to=2), **chosen(place)), reporter=reporter).state == "done"
    assert [told.split(": ")[0] for told in warnings(reporter)] == ["the diary book failed in run_started"]
    assert seen(place) == []


def test_what_fails_again_and_again_is_told_of_once(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.running.steps.metric_batches.EVERY", 0.0)
    place, reporter = listening(CHOSEN.replace('seen.append(("points", len(points)))', 'raise OSError("down")')), Recorder()
    place.run(plan=plan(step("a", to=4, pause=0.3), **chosen(place)), reporter=reporter)
    assert [told for told in warnings(reporter) if "metrics_reported" in told] == [
        "the diary book failed in metrics_reported: OSError: down"
    ]
