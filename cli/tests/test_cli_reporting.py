"""What a run looks like: bars, lines, JSON."""

from __future__ import annotations

import io
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts.events import RunFacts
from tunesmith.errors import TunesmithError
from tunesmith.planning.plan import Decision, Plan, PlannedStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.outcome import RunOutcome, StepOutcome
from tunesmith_cli.display import reporting
from tunesmith_cli.display.event_messages import Narrator
from tunesmith_cli.display.json_lines import JsonLines, plain
from tunesmith_cli.display.number_format import amount, duration, number, ratio, size
from tunesmith_cli.display.plain_lines import Plain
from tunesmith_cli.display.summary import curl_line, table
from tunesmith_cli.display.terminal import Terminal
from tunesmith_cli.display.time_left import Pace

VERB = ProviderRecord("verb", "count", "", "m:f", "tiny", "1")
STEP = PlannedStep("a", "a", VERB, {}, {}, {}, "model/hf")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def begin(reporter: Narrator | JsonLines, directory: Path) -> RunFacts:
    run = RunFacts("r1", "p", directory)
    reporter.run_started(run, Plan("p", None, (STEP,), outputs=("a",)), False)
    reporter.step_started(STEP, 1)
    return run


def end(reporter: Narrator | JsonLines, run: RunFacts, state: str = "done") -> None:
    outcome = StepOutcome("a", state, False, 75.0, None, 2**20, {"loss": 0.25})
    reporter.step_finished(STEP, outcome)
    reporter.run_finished(RunOutcome(run.id, state, run.directory, {"a": outcome}))


def test_lines_come_now_and_then_with_rate_and_time_left(tmp_path):
    stream, clock = Stream(False), Clock()
    reporter = Plain(stream, clock)
    run = begin(reporter, tmp_path)
    for second in range(60):
        clock.now = float(second)
        reporter.metric("a", "loss", 2.0 - second / 100, second)
        reporter.progress("a", "train", second * 10, 1000, "rows")
    end(reporter, run)
    told = [line for line in stream.getvalue().splitlines() if "train" in line]
    assert told[0] == "  a: train 100/1000 rows, 10 rows/s, 1 min 30 s left, loss 1.9"
    assert len(told) == 5
    assert "+ a: done in 1 min 15 s, 1.0 MiB" in stream.getvalue()
    assert "  a: loss 0.25" in stream.getvalue()


def told_of(points: list[float], tmp_path: Path, seconds: float = 0.0) -> list[str]:
    """What a pipe is told of a step with these losses, so many seconds apart."""
    stream, clock = Stream(False), Clock()
    reporter = Plain(stream, clock)
    run = begin(reporter, tmp_path)
    for at, loss in enumerate(points, 1):
        clock.now += seconds
        reporter.metric("a", "loss", loss, at)
        reporter.progress("a", "train", at, len(points), "steps")
    end(reporter, run)
    return [line.strip() for line in stream.getvalue().splitlines() if "loss" in line and "loss 0.25" not in line]


def test_a_short_run_tells_its_first_and_its_last_loss(tmp_path):
    assert told_of([2.5, 2.0, 1.5], tmp_path) == ["a: loss 2.5 (step 1)", "a: loss 1.5 (the last)"]
    assert told_of([2.5], tmp_path) == ["a: loss 2.5 (step 1)"]
    assert told_of([], tmp_path) == []


def test_a_resumed_run_tells_of_its_first_new_step_and_not_of_what_an_attempt_before_told(tmp_path):
    stream = io.StringIO()
    reporter = Plain(stream)
    reporter.progress("tune", "tokenize", 12, 12, "rows")
    reporter.progress("tune", "train", 4, 8, "steps")
    for at in range(1, 6):
        reporter.metric("tune", "loss", 1.0 / at, at)
    assert stream.getvalue() == "  tune: loss 0.25 (step 4)\n"


def test_a_long_run_tells_its_loss_at_a_rate_that_one_can_read(tmp_path):
    told = told_of([3 - n / 1000 for n in range(1000)], tmp_path, seconds=1.0)
    assert len(told) == 1000 / 10 + 1
    assert told[-1] == "a: loss 2.001 (the last)"


def test_what_the_plan_said_a_step_need_not_say_again(tmp_path):
    stream = Stream(False)
    reporter = Plain(stream)
    for _ in range(2):
        reporter.decision(Decision("a", "learn quietly", "the room is small"))
    assert stream.getvalue().count("learn quietly") == 1


@pytest.mark.parametrize(("code", "user", "offered"), [("TS-RUN-020", False, False), ("TS-RUN-011", False, True), ("ACME-1", True, False)])
def test_resuming_is_offered_where_it_may_help(tmp_path, code, user, offered):
    stream = Stream(False)
    reporter = Plain(stream)
    run = begin(reporter, tmp_path)
    reporter.run_finished(RunOutcome(run.id, "failed", run.directory, error=TunesmithError(code, "it failed", user=user)))
    assert ("tunesmith resume r1" in stream.getvalue()) is offered


def test_a_terminal_has_bars_while_a_step_runs_and_lines_when_it_is_done(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream, clock = Stream(True), Clock()
    reporter = Terminal(stream, clock)
    run = begin(reporter, tmp_path)
    for second in range(3):
        clock.now = float(second)
        reporter.progress("a", "train", second, 10, "steps")
        reporter.progress("a", "", second * 2**20, 2**23, "B")
    bars = {task.description: task.fields["pace"] for task in reporter._bars.tasks}
    assert bars == {"a train": "2/10 steps, 1 steps/s, 8.0 s left", "a": "2.0 MiB of 8.0 MiB, 1.0 MiB/s, 6.0 s left"}
    reporter.log("a", "warning", "[not markup] 100%")
    end(reporter, run)
    assert "[not markup] 100%" in stream.getvalue()
    assert "\x1b[32m+ a: done" in stream.getvalue()
    assert reporter._bars is None


def test_a_terminal_that_finds_everything_done_does_not_load_a_library_for_bars(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rich.progress", None)
    stream = Stream(True)
    reporter = Terminal(stream)
    reporter.run_started(RunFacts("r", "p", tmp_path), Plan("p", None, (STEP,)), False)
    reporter.step_finished(STEP, StepOutcome("a", "done", True, 4.0))
    assert "= a: from the cache (took 4.0 s when it was made)" in stream.getvalue()


@pytest.mark.parametrize(
    ("terminal", "variables", "as_json", "kind"),
    [
        (True, {}, False, "Terminal"),
        (False, {}, False, "Plain"),
        (True, {"CI": "1"}, False, "Plain"),
        (True, {"TERM": "dumb"}, False, "Plain"),
        (True, {}, True, "JsonLines"),
    ],
)
def test_the_reporter_suits_the_stream(terminal, variables, as_json, kind, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with reporting(as_json, Stream(terminal)) as reporter:
        assert type(reporter).__name__ == kind


def test_json_lines_hold_every_event_and_nothing_that_is_no_json(tmp_path):
    stream = Stream(False)
    reporter = JsonLines(stream)
    run = begin(reporter, tmp_path)
    reporter.metric("a", "loss", math.nan, 3)
    end(reporter, run)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["run_started", "step_started", "metric", "step_finished", "run_finished"]
    assert events[2]["value"] is None


def test_beside_the_first_series_what_measures_the_same_and_the_speed_are_shown():
    reporter = Plain(io.StringIO())
    assert reporter.series("a") == ""
    for name, value in (("loss", 1.23456), ("angle", 3.0), ("tokens_per_second", 1234.56), ("held_out_loss", 2.0), ("loss", 1.1)):
        reporter.metric("a", name, value, 1)
    assert reporter.series("a") == "loss 1.1, held out loss 2, 1235 tokens/s"


def test_a_service_is_summed_up_when_it_is_ready_and_not_again(tmp_path):
    stream = Stream(False)
    reporter = Plain(stream)
    run = begin(reporter, tmp_path)
    facts = {"url": "http://127.0.0.1:80/v1", "model": "it's"}
    reporter.service_ready(STEP, facts, True)
    assert "Ctrl-C stops it" in stream.getvalue()
    assert "tunesmith chat --url http://127.0.0.1:80/v1" in stream.getvalue()
    assert curl_line(facts) in stream.getvalue()
    reporter.run_finished(RunOutcome(run.id, "done", tmp_path))
    assert stream.getvalue().count("done in") == 1
    assert stream.getvalue().endswith("stopped serving\n")


def test_a_service_that_gives_no_words_is_not_to_be_chatted_with(tmp_path):
    stream = Stream(False)
    reporter = Plain(stream)
    begin(reporter, tmp_path)
    reporter.service_ready(replace(STEP, format="endpoint/openai+reward"), {"url": "http://127.0.0.1:80/v1", "model": "judge"}, True)
    assert "is served at http://127.0.0.1:80/v1" in stream.getvalue()
    assert "role `reward`" in stream.getvalue()
    assert "chat" not in stream.getvalue()


def test_the_curl_line_survives_a_shell():
    import shlex

    words = shlex.split(curl_line({"url": "http://127.0.0.1:80/v1/", "model": "it's"}))
    assert words[1] == "http://127.0.0.1:80/v1/chat/completions"
    assert json.loads(words[-1])["model"] == "it's"


def test_a_table_is_aligned():
    rows = {"model": {"perplexity": 12.5, "words": 3.0}, "tune": {"perplexity": 7.25}}
    assert list(table("score", rows)) == ["score  perplexity  words", "model        12.5      3", "tune         7.25      -"]


def test_quantities_as_a_person_reads_them():
    assert [size(n) for n in (0, 1023, 1536, 269 * 2**20)] == ["0 B", "1023 B", "1.5 KiB", "269 MiB"]
    assert [duration(s) for s in (0.04, 9.96, 59.6, 3599.6, 7500)] == ["0.0 s", "10 s", "1 min 00 s", "1 h 00 min", "2 h 05 min"]
    assert [number(v) for v in (3.0, 0.123456, 1e-7, math.inf, 12345678.5)] == ["3", "0.12346", "1e-07", "inf", "12345678"]
    assert (amount(3, "rows"), amount(2048, "B")) == ("3 rows", "2.0 KiB")
    assert (ratio(1, None, "rows"), ratio(1, 3, ""), ratio(1024, 2048, "bytes")) == ("1 rows", "1/3", "1.0 KiB of 2.0 KiB")


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e9), st.none() | st.floats(0, 1e9)), min_size=1, max_size=30))
def test_a_pace_never_fails_whatever_is_reported(reports):
    pace, now = Pace("rows"), 0.0
    for passed, done, total in reports:
        now += passed
        pace.update(done, total, now)
        assert pace.text
        assert pace.rate is None or pace.rate > 0
        assert pace.left is None or pace.left >= 0


def test_a_wait_has_a_length_and_no_rate():
    pace = Pace("s")
    for second in range(0, 75, 25):
        pace.update(float(second), None, 100.0 + second)
    assert pace.text == "50 s"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_whatever_is_told_becomes_json(value):
    json.dumps(plain(value), allow_nan=False)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_reader_that_hangs_up_fails_no_run(as_json: bool):
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        with reporting(as_json, stream) as reporter:
            os.close(read)
            for _ in range(3):
                reporter.log("tune", "warning", "said to nobody")
        print("nor this", file=stream, flush=True)
