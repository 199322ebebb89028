"""Plugins that listen to runs: they see everything, may stop a step or fix it, and can't break the run."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import textwrap
from pathlib import Path

import pytest
from tiny_plans import Place, plan, step, text

from tunesmith.contracts import RunFacts, StepFacts
from tunesmith.errors import UserError
from tunesmith.planning.cache_keys import step_key
from tunesmith.planning.plan import Choice, Gate
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith.running.journal.journal import Journal
from tunesmith.running.outcome import can_go_on
from tunesmith.running.steps.cached_results import standing
from tunesmith.running.steps.step import ATTEMPTS
from tunesmith.running.store.store import Store
from tunesmith_sdk.recorder import Recorder


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """A place with plugins made of the given texts; each is the body of a module."""
    count = 0

    def make(*bodies: str, state: str = "active") -> Place:
        nonlocal count
        plugins = []
        for body in bodies:
            name = f"tiny_listener_{abs(hash(request.node.name))}_{count}"
            count += 1
            head = "from tunesmith.hookspecs import hookimpl\nfrom tunesmith.contracts import Remedy, UserError\nseen = []\n"
            (tmp_path / f"{name}.py").write_text(head + textwrap.dedent(body))
            events = tuple(
                line.split("(")[0].removeprefix("def ") for line in textwrap.dedent(body).splitlines() if line.startswith("def ")
            )
            plugins.append(Plugin(name, "1.0", name, events=events, state=state))
        return dataclasses.replace(Place.at(tmp_path), plugins=tuple(plugins))

    monkeypatch.syspath_prepend(str(tmp_path))
    return make


def seen(place: Place) -> list:
    return [entry for plugin in place.plugins for entry in sys.modules[plugin.module].seen]


WATCH = """
@hookimpl
def run_started(run):
    seen.append(("run", run.pipeline, run.directory.name == run.id))

@hookimpl
def step_starting(step):
    seen.append(("starting", step.name, step.settings["to"]))

@hookimpl
def step_finished(step):
    seen.append(("finished", step.name, dict(step.metrics), step.seconds > 0))

@hookimpl
def artifact_committed(step, artifact):
    seen.append(("artifact", step.name, (artifact.path / "numbers.txt").exists()))
"""


def test_a_listener_is_told_of_the_run_its_steps_and_artifacts(listening) -> None:
    place = listening(WATCH)
    place.run(step("a", to=2))
    assert seen(place) == [("run", "tiny", True), ("starting", "a", 2), ("artifact", "a", True), ("finished", "a", {"last": 1.0}, True)]


def test_of_a_home_that_was_deleted_nobody_is_told_so_that_nothing_of_it_comes_back(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    place = listening(WATCH + """
@hookimpl
def metrics_reported(step, points):
    (step.run.directory / "points").mkdir(parents=True, exist_ok=True)

@hookimpl
def step_failed(step, error):
    (step.run.directory / "failed").mkdir(parents=True, exist_ok=True)
""")  # fmt: skip

    class Deleting(Recorder):
        def metric(self, *about: object) -> None:
            shutil.rmtree(place.home, ignore_errors=True)

    outcome = place.run(step("a", to=20, pause=0.02), reporter=Deleting())
    assert outcome.error.code == "TS-STORE-007"
    assert not can_go_on(outcome.state, outcome.error)
    assert not [*place.home.glob("runs/*/points"), *place.home.glob("runs/*/failed")]


def test_a_step_from_the_cache_neither_starts_nor_finishes(listening) -> None:
    place = listening(WATCH)
    place.run(step("a", to=2))
    sys.modules[place.plugins[0].module].seen.clear()
    place.run(step("a", to=2))
    assert seen(place) == [("run", "tiny", True)]


POINTS = """
@hookimpl
def metrics_reported(step, points):
    seen.append((step.name, step.attempt, [(point.name, point.value, point.at) for point in points]))

@hookimpl
def step_failed(step, error):
    seen.append("failed")
    return Remedy("it fails no more this way", {"fail": ""})

@hookimpl
def step_finished(step):
    seen.append("finished")
"""


def test_a_listener_is_told_what_a_step_measures_before_it_finishes(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.running.steps.metric_batches.EVERY", 600.0)
    place = listening(POINTS)
    place.run(step("a", to=3))
    assert seen(place) == [("a", 1, [("square", 0, 0), ("square", 1, 1), ("square", 4, 2)]), "finished"]


def test_a_listener_is_told_what_a_step_measured_before_it_fails(listening) -> None:
    place = listening(POINTS)
    place.run(step("a", to=1, fail="user"))
    assert [entry[:2] if isinstance(entry, tuple) else entry for entry in seen(place)] == [("a", 1), "failed", ("a", 2), "finished"]


def test_points_come_in_batches_while_the_step_runs(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.running.steps.metric_batches.EVERY", 0.0)
    place = listening(POINTS)
    place.run(step("a", to=4, pause=0.3))
    batches = [points for name, _, points in seen(place)[:-1]]
    assert len(batches) > 1
    assert [at for batch in batches for _, _, at in batch] == [0, 1, 2, 3]


def test_a_listener_to_points_is_not_imported_while_nothing_is_measured(listening) -> None:
    place = listening("raise SystemExit('imported')\n@hookimpl\ndef metrics_reported(step, points): pass")
    assert place.run(step("a", "shout", to=1)).state == "done"


def test_a_listener_that_lacks_its_libraries_is_told_of_once(listening) -> None:
    place = listening(POINTS)
    lacking = dataclasses.replace(place.plugins[0], missing={"": ("tiny-board>=2 (not installed)",)}, fingerprint="seen")
    reporter = Recorder()
    assert dataclasses.replace(place, plugins=(lacking,)).run(step("a", to=2), reporter=reporter).state == "done"
    (told,) = [message for _, level, message in reporter.of("log") if level == "warning"]
    assert "tiny-board>=2 (not installed)" in told
    assert lacking.module not in sys.modules


def test_settings_are_flat_for_those_who_list_them() -> None:
    facts = StepFacts(RunFacts("1", "tiny", Path()), "a", "count", settings={"to": 2, "names": ["x"]},
                      providers={"wheel": {"name": "round", "settings": {"spokes": 16}}})  # fmt: skip
    assert facts.parameters() == {"to": 2, "names": '["x"]', "wheel": "round", "wheel.spokes": 16}


def test_a_denied_listener_is_not_imported(listening) -> None:
    place = listening("raise SystemExit('imported')\n@hookimpl\ndef run_started(run): pass", state="denied")
    assert place.run(step("a", to=2)).state == "done"
    assert place.plugins[0].module not in sys.modules


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


def test_a_listener_knows_the_digests_of_what_a_step_reads(listening) -> None:
    place = listening("@hookimpl\ndef step_starting(step):\n    seen.append((step.name, dict(step.inputs)))")
    outcome = place.run(step("a", to=2), step("b", reads="a", to=2))
    (read,) = dict(seen(place))["b"].values()
    assert read == outcome.artifacts["a"].digest
    assert dict(seen(place))["a"] == {}


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


def test_a_run_killed_while_it_tries_a_remedy_goes_on_with_it(listening) -> None:
    place = listening(CURE.replace('"to": 3}', '"to": 40}, resume=True'))
    asked = step("a", to=0, fail="crash", pause=0.02)  # it measures nothing before it fails
    stopped, _ = place.cancelled(asked, when="metric")
    assert stopped.state == "cancelled"
    reporter = Recorder()
    outcome = place.run(asked, reporter=reporter)
    assert outcome.state == "done"
    assert [settings["to"] for settings in seen(place)] == [0, 40], "it did not fail again first"
    assert reporter.of("decision")[0][0].what == "go on with to: 0 -> 40, fail: 'crash' -> ''"
    assert text(outcome, "a") == str([number * number for number in range(40)])
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


def test_wrappers_and_order_are_pluggys(listening) -> None:
    place = listening("""
        @hookimpl(wrapper=True)
        def run_started(run):
            seen.append("before")
            yield
            seen.append("after")
    """, "@hookimpl\ndef run_started(run): seen.append('within')")  # fmt: skip
    place.run(step("a", to=2))
    assert seen(place) == ["before", "after", "within"]  # each in its own list


HANGING = """
import time

@hookimpl
def step_starting(step):
    seen.append(step.name)
    time.sleep(600)

@hookimpl
def step_finished(step):
    seen.append("finished")
"""


def test_a_listener_that_hangs_is_left_behind_and_the_others_still_hear(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.plugins.time_limit.LIMIT", 0.3)
    place = listening(HANGING, WATCH)
    reporter = Recorder()
    assert place.run(step("a", to=2), step("b", reads="a", to=2), reporter=reporter).state == "done"
    (told,) = [message for _, level, message in reporter.of("log") if level == "warning"]
    assert "failed in step_starting: TimeoutError: it did not return within 0.3 seconds" in told
    assert seen(place)[0] == "a", "it was not called again"
    assert len(seen(place)) == 1 + 1 + 2 * 3


def test_a_required_listener_that_hangs_stops_the_step(listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith.plugins.time_limit.LIMIT", 0.3)
    place = listening(HANGING)
    outcome = dataclasses.replace(place, required=(place.plugins[0].distribution,)).run(step("a", to=2))
    assert (outcome.state, outcome.error.code) == ("failed", "TS-PLUGIN-024")


@pytest.mark.parametrize("end", ["sys.exit(0)", "raise KeyboardInterrupt", "raise SystemExit"])
def test_a_listener_does_not_end_the_run(listening, end: str) -> None:
    place = listening(f"import sys\n@hookimpl\ndef run_started(run):\n    {end}", WATCH)
    reporter = Recorder()
    assert place.run(step("a", to=2), reporter=reporter).state == "done"
    assert "it tried to end the process" in reporter.of("log")[0][2]
    assert len(seen(place)) == 4


def test_a_required_listener_that_leaves_while_it_is_imported_closes_the_gate(listening) -> None:
    place = listening("import sys\nsys.exit(0)\n@hookimpl\ndef run_started(run): pass")
    with pytest.raises(UserError, match="TS-PLUGIN-023"):
        dataclasses.replace(place, required=(place.plugins[0].distribution,)).run(step("a", to=2))


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


def warnings(reporter: Recorder) -> list[str]:
    return [message for _, level, message in reporter.of("log") if level == "warning"]


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
