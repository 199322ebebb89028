"""Plugins that fix what failed: settings that are tried instead, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_listeners import seen
from tiny_plans import plan, step, text

from tunesmith.planning.cache_keys import step_key
from tunesmith.running.journal.journal import Journal
from tunesmith.running.steps.cached_results import standing
from tunesmith.running.steps.step import ATTEMPTS
from tunesmith.running.store.store import Store
from tunesmith_sdk.testing.recorder import Recorder


def test_a_remedy_is_tried_with_its_settings_and_noted(listening) -> None:
    place = listening("""
        @hookimpl
        def step_failed(step, error):
            seen.append((step.attempt, error.code))
            if step.attempt == 2:
                return Remedy("it fails no more this way", {"fail": "", "to": 3})
            return Remedy("let it rest", delay=0.01)
    """)
    reporter = Recorder()
    failing = step("a", to=2, fail="crash")
    outcome = place.run(failing, reporter=reporter)
    assert (outcome.state, outcome.steps["a"].attempts) == ("done", 3)
    assert text(outcome, "a") == "[0, 1, 4]"
    assert seen(place) == [(1, "TS-RUN-010"), (2, "TS-RUN-010")]
    decisions = Journal(place.home).decisions(outcome.run)
    assert [(what, reason) for _, what, reason in decisions] == [
        ("try again after TS-RUN-010", "let it rest"),
        ("try again after TS-RUN-010 with fail: 'crash' -> '', to: 2 -> 3", "it fails no more this way"),
    ]
    assert list((place.home / "work").iterdir()) == []


CURE = """
@hookimpl
def step_failed(step, error):
    seen.append(dict(step.settings))
    return Remedy("it fails no more this way", {"fail": "", "to": 3})

@hookimpl
def step_finished(step):
    seen.append(dict(step.settings))
"""


def test_a_result_is_kept_under_the_settings_that_made_it(listening) -> None:
    place = listening(CURE)
    asked, made = step("a", to=2, fail="crash"), step("a", to=3, fail="")
    first = place.run(asked)
    (row,) = Journal(place.home).steps(first.run)
    assert row.key == step_key(made, {}) != step_key(asked, {})
    assert Journal(place.home).cached(step_key(asked, {})) is None
    assert Journal(place.home).cached(row.key).producer["step"] == {"fail": "", "to": 3}
    assert [at for at, _ in Journal(place.home).series(row.key)["square"]] == [0, 1, 2]
    assert seen(place)[-1] == {"fail": "", "to": 3}, "those who listen are told of the settings in force"
    outcome = place.run(made)
    assert outcome.steps["a"].cached
    assert Journal(place.home).decisions(outcome.run) == []


def test_who_asks_for_settings_that_failed_is_told_what_answers(listening) -> None:
    place = listening(CURE)
    asked = step("a", to=2, fail="crash")
    first, reporter = place.run(asked), Recorder()
    found, said = standing(plan(asked), place.home)
    second = place.run(asked, reporter=reporter)
    assert second.steps["a"].cached
    assert second.artifacts == first.artifacts
    (decision,) = reporter.of("decision")[0]
    assert decision.what == "taken from the cache with to: 2 -> 3, fail: 'crash' -> ''"
    assert "TS-RUN-010, it fails no more this way" in decision.reason
    assert (found, said) == ({"a": True}, [decision]), "the plan says the same"
    assert [settings["to"] for settings in seen(place)] == [2, 3]
    place.run(asked, refresh=True)
    assert [settings["to"] for settings in seen(place)] == [2, 3, 2, 3], "--refresh tries again what was asked for"


def test_a_run_killed_while_it_tries_a_remedy_goes_on_with_it(listening, tmp_path: Path) -> None:
    waits = f"until {tmp_path / 'sign'}"
    place = listening(CURE.replace('"fail": "", "to": 3}', f'"fail": "{waits}", "to": 3}}, resume=True'))
    asked = step("a", to=0, fail="crash")  # it measures nothing before it fails
    stopped, _ = place.cancelled(asked, when="metric")
    assert stopped.state == "cancelled"
    reporter = Recorder()
    (tmp_path / "sign").touch()
    outcome = place.run(asked, reporter=reporter)
    assert outcome.state == "done"
    assert [settings["to"] for settings in seen(place)] == [0, 3], "it did not fail again first"
    assert reporter.of("decision")[0][0].what.startswith("go on with to: 0 -> 3, fail: 'crash' -> 'until ")
    assert text(outcome, "a") == "[0, 1, 4]"
    assert list((place.home / "work").iterdir()) == []


def test_settings_are_tried_again_after_a_remedy_that_did_not_help(listening) -> None:
    place = listening("""
        @hookimpl
        def step_failed(step, error):
            seen.append(dict(step.settings))
            return Remedy("perhaps this way", {"fail": "user"}) if step.attempt == 1 else None
    """)
    for _ in range(2):
        assert place.run(step("a", to=2, fail="crash")).error.code == "TINY-001"
    assert [settings["fail"] for settings in seen(place)] == ["crash", "user"] * 2


def test_settings_that_fail_are_tried_again_when_what_answered_is_gone(listening) -> None:
    place = listening(CURE)
    asked = step("a", to=2, fail="crash")
    first = place.run(asked)
    Store(place.home).set_aside(first.artifacts["a"].digest)
    second = place.run(asked)
    assert not second.steps["a"].cached
    assert second.artifacts == first.artifacts


@pytest.mark.parametrize(("resume", "numbers"), [(True, "[7, 7, 4]"), (False, "[0, 1, 4]")])
def test_a_remedy_says_whether_to_go_on_with_what_the_failed_attempt_left(listening, resume: bool, numbers: str) -> None:
    place = listening(f"""
        @hookimpl
        def step_failed(step, error):
            for left in (step.run.directory.parents[1] / "work").glob("*/count.json"):
                left.write_text("[7, 7]")
            return Remedy("it fails no more this way", {{"fail": "", "to": 3}}, resume={resume})
    """)
    outcome = place.run(step("a", to=2, fail="crash"))
    assert text(outcome, "a") == numbers
    assert list((place.home / "work").iterdir()) == []


def test_a_plugin_that_only_fixes_is_not_imported_while_nothing_fails(listening) -> None:
    place = listening("raise SystemExit('imported')\n@hookimpl\ndef step_failed(step, error): pass")
    assert place.run(step("a", to=2)).state == "done"


def test_remedies_are_bounded(listening) -> None:
    place = listening("@hookimpl\ndef step_failed(step, error):\n    return Remedy('never give up')")
    reporter = Recorder()
    assert place.run(step("a", to=2, fail="crash"), reporter=reporter).state == "failed"
    assert [attempt for _, attempt in reporter.of("step_started")] == list(range(1, ATTEMPTS + 1))
