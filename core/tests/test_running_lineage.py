"""Where an artifact came from is known as long as its home is there; a run can be looked at while it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_plans import Place, step

from tunesmith.errors import UserError
from tunesmith.running.journal.journal import Journal
from tunesmith.running.journal.run_view import RunView
from tunesmith_cli.commands.lineage import ancestry, digests
from tunesmith_sdk.testing.recorder import Recorder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.at(tmp_path)


def view(place: Place, run: str) -> RunView:
    journal = Journal(place.home)
    row = journal.run(run)
    assert row is not None
    return RunView(journal, place.home, row)


def test_an_artifact_leads_to_what_it_was_made_of_and_with_which_settings(place: Place) -> None:
    outcome = place.run(step("a", to=3), step("b", reads="a", to=2))
    found = ancestry(Journal(place.home), outcome.artifacts["b"].digest)
    (made,) = found.makers
    assert (made.step, made.run, made.cached, made.settings) == ("b", outcome.run, False, {"to": 2})
    assert made.producer["name"] == "count"
    assert found.inputs["from"].digest == outcome.artifacts["a"].digest
    assert [row.step for row in found.inputs["from"].makers] == ["a"]


def test_every_run_that_gave_it_is_told_the_one_that_made_it_first(place: Place) -> None:
    first, second = place.run(step("a", to=3)), place.run(step("other", to=3))
    assert first.artifacts["a"].digest == second.artifacts["other"].digest
    makers = ancestry(Journal(place.home), first.artifacts["a"].digest).makers
    assert [(row.step, row.run, row.cached) for row in makers] == [("a", first.run, False), ("other", second.run, True)]


def test_a_step_that_is_made_again_under_the_same_key_leaves_the_earlier_one_known(place: Place) -> None:
    place.run(step("a", to=3))
    place.run(step("a", to=3), refresh=True)
    assert [row.cached for row in Journal(place.home).lineage()] == [False, False]


def test_a_name_is_a_digest_or_a_run_or_refused_with_a_guess(place: Place) -> None:
    outcome = place.run(step("a", to=3), step("b", reads="a", to=2))
    journal = Journal(place.home)
    digest = outcome.artifacts["b"].digest
    assert list(digests(journal, digest.removeprefix("sha256:")[:10])) == [digest]
    assert list(digests(journal, outcome.run)) == [artifact.digest for artifact in outcome.artifacts.values()]
    with pytest.raises(UserError, match="TS-STORE-008"):
        list(digests(journal, "nothing"))


def test_how_far_a_step_has_come_can_be_seen_by_others_while_it_runs(place: Place) -> None:
    seen = []

    class Watching(Recorder):
        def metric(self, step: str, name: str, value: float, at: int) -> None:
            row = Journal(place.home).runs()[0]
            seen.append(RunView(Journal(place.home), place.home, row).steps[step])

    outcome = place.run(step("a", to=5), reporter=Watching())
    assert {one.row.state for one in seen} == {"running"}
    assert seen[-1].progress, "kept while it ran"
    (task,) = view(place, outcome.run).steps["a"].progress
    assert task.done == task.total == 5


def test_a_view_has_all_of_a_run_that_is_over(place: Place) -> None:
    outcome = place.run(step("a", to=3), step("b", reads="a", to=2))
    seen = view(place, outcome.run)
    assert list(seen.steps) == ["a", "b"]
    assert seen.steps["a"].metrics == outcome.metrics["a"]
    assert seen.series("a")["square"] == [(0, 0.0), (1, 1.0), (2, 4.0)]
    assert [row.step for row in seen.lineage] == ["a", "b"]
    assert [planned.name for planned in seen.plan.steps] == ["a", "b"]
    told = seen.to_json()
    assert told["state"] == "done"
    assert told["steps"][0]["metrics"] == outcome.metrics["a"]
    again = view(place, place.run(step("a", to=3), step("b", reads="a", to=2)).run)
    assert again.steps["a"].row.cached
    assert again.steps["a"].seconds == seen.steps["a"].made.seconds
