"""The report: everything is in it, nothing comes from elsewhere, and what models say stays text."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_plans import Place, plan, step

from tunesmith.planning.plan import Choice, Decision, Gate
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.records import ProviderRecord
from tunesmith.running.runner import Runner
from tunesmith_report import chart, environments, number_format, plugin, report_data, rollouts
from tunesmith_report.findings import findings
from tunesmith_report.header import header
from tunesmith_report.page import page_of
from tunesmith_sdk.testing.recorder import Recorder

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Checked(HTMLParser):
    """Takes a page in and complains about tags that don't match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


METRICS = {"right": {"better": "higher"}, "length": {"better": "lower"}}
EVALUATOR = ProviderRecord("evaluator", "quiz", "", "tiny_verbs:ask", "tiny", "1.0", facts={"metrics": METRICS})


def score(name: str, reads: str, **settings: Any):
    asked = step(name, "say", reads=reads, **settings)
    return dataclasses.replace(asked, group="score", choices={"evaluator": Choice(EVALUATOR)})


def place_at(directory: Path) -> Place:
    """A home for runs, with this plugin and no other."""
    return dataclasses.replace(Place.at(directory), plugins=(read_manifest(Path(plugin.__file__).with_name("plugin.toml")),))


def data_of(outcome: Any) -> dict[str, Any]:
    return json.loads((outcome.directory / "report.json").read_text())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Checked, str]:
    tmp_path = tmp_path_factory.mktemp("told")
    source = tmp_path / "tunesmith.yaml"
    source.write_text("name: tiny  # edited meanwhile\n")
    made = plan(
        step("base", to=3), step("tune", to=8, reads="base"),
        score("score:base", "base", fail="<script>alert(1)</script>"), score("score:tune", "tune", fail="so"),
        gates=(Gate("score", "right", ">=", 0.5, text=">= 0.5"),),
        decisions=(Decision("tune", "count to 8", "the pipeline says so"),), warnings=("the <size> is unknown",),
    )  # fmt: skip
    outcome = place_at(tmp_path).run(plan=dataclasses.replace(made, path=source, text="name: tiny  # <ours>\n"))
    page = outcome.report.read_text()
    return data_of(outcome), Checked(page), page


def test_a_password_in_an_address_of_the_pipeline_is_not_shown(tmp_path: Path) -> None:
    written = "track: {book: {address: 'ftp://me:hush@desk/drawer'}}  # to ann@acme.example\n"
    outcome = place_at(tmp_path).run(plan=plan(step("base", to=3), text=written))
    assert data_of(outcome)["source"] == written.replace("me:hush@", "")
    assert "hush" not in outcome.report.read_text()


def test_what_a_step_warned_of_while_it_ran_is_among_the_warnings(tmp_path: Path) -> None:
    outcome = place_at(tmp_path).run(plan=plan(step("base", "shout", to=1)))
    assert data_of(outcome)["warnings"] == ["base: it was <loud>"]
    assert "base: it was &lt;loud&gt;" in outcome.report.read_text()


def test_who_could_not_be_told_of_the_run_is_among_the_warnings(tmp_path: Path) -> None:
    gone = Choice(ProviderRecord("diary", "book", "", "acme_book:Book", "acme-book", "1.0"))
    outcome = place_at(tmp_path).run(plan=plan(step("base", to=3), listeners=(gone,)))
    (warning,) = data_of(outcome)["warnings"]
    assert warning.startswith("the diary book can't listen to this run: ")
    assert "acme-book is not there any more" in warning
    assert "acme-book is not there any more" in outcome.report.read_text()


def test_the_page_has_everything_in_words(told) -> None:
    _, page, _ = told
    expected = (
        "tiny", "failed", "TS-RUN-020", "score:tune", "count to 8", "the pipeline says so", "the <size> is unknown",
        "name: tiny  # <ours>", "right", "length", "higher is better", "so", "square", "Python",
    )  # fmt: skip
    for words in expected:
        assert words in page.words, words
    assert page.words.count("✗") >= 1
    assert page.words.count("✓") >= 1


def test_nothing_comes_from_elsewhere_and_nothing_runs(told) -> None:
    _, page, number_format = told
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "img", "object")]
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on") or a in ("src", "href")]
    assert "http" not in number_format.replace("http-equiv", "")
    assert "@import" not in number_format
    assert "url(" not in number_format


def test_what_a_model_says_stays_text(told) -> None:
    _, page, number_format = told
    assert "<script>alert(1)</script>" in page.words
    assert "<script" not in number_format


def test_the_same_is_there_as_data(told) -> None:
    data, _, _ = told
    assert data["scores"] == [
        {
            "group": "score", "subjects": ["base", "tune"], "better": {"right": "higher", "length": "lower"},
            "metrics": {"right": {"base": 0.0, "tune": 1.0}, "length": {"base": 25.0, "tune": 2.0}},
        }
    ]  # fmt: skip
    assert [gate["passed"] for gate in data["gates"]] == [False, True]
    (table,) = data["samples"]
    assert table["rows"][0]["answers"]["tune"] == {"answer": "so", "score": None, "right": True}
    assert {step["name"]: step["size"] for step in data["steps"]}["base"] == 9
    assert data["environment"]["plugins"] == {"tiny": "1.0"}


def test_a_run_without_anything_still_has_a_page(tmp_path: Path) -> None:
    outcome = place_at(tmp_path).run()
    Checked(outcome.report.read_text())


def test_a_cached_run_has_the_same_curves_and_scores(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    first, second = (data_of(place.run(step("a", to=4), step("q", "say", reads="a"))) for _ in range(2))
    assert second["curves"] == first["curves"]
    assert second["scores"] == first["scores"]
    assert all(step["cached"] for step in second["steps"])


def test_what_a_model_in_training_answered_is_a_table_of_the_times_it_was_asked(tmp_path: Path) -> None:
    outcome = place_at(tmp_path).run(step("a", "tell", to=30))
    (table,) = data_of(outcome)["completions"]
    assert (table["step"], table["prompts"], table["count"]) == ("a", ["Who?", "Why?"], 30)
    assert [row["at"] for row in table["rows"]] == [*range(11), 29]
    page = Checked(outcome.report.read_text())
    assert "Answers while training" in page.words
    assert "before training" in page.words
    assert "Why? 29 <b>" in page.words


def test_what_a_model_wrote_while_it_learned_is_told_by_its_best_and_its_worst(tmp_path: Path) -> None:
    lines = [
        {"collection": at, "version": 2 * at, "reward": reward, "text": f"<i>{at}</i> {reward}", **more}
        for at in range(20)
        for reward, more in ((0.5, {}), (at / 10, {}), (None, {}), (9.0, {"dropped": True}))
    ]
    (tmp_path / rollouts.FILE).write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    view: Any = SimpleNamespace(
        steps=["solve", "other"], artifact=lambda name: SimpleNamespace(path=tmp_path) if name == "solve" else None
    )  # fmt: skip
    (table,) = found = rollouts.rollouts(view)
    assert (table["step"], table["count"], [row["at"] for row in table["rows"]]) == ("solve", 20, [*range(0, 22, 2), 38])
    assert table["rows"][-1]["reward"] == pytest.approx((0.5 + 1.9) / 2)
    assert (table["rows"][-1]["best"]["reward"], table["rows"][-1]["worst"]["text"]) == (1.9, "<i>19</i> 0.5")
    page = rollouts.table({"rollouts": found})
    assert "12 of 20 times" in page
    assert "&lt;i&gt;19&lt;/i&gt; 1.9" in page
    (tmp_path / rollouts.FILE).write_bytes(b"no gzip")
    assert rollouts.rollouts(view) == []


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, -math.inf]), max_size=80), st.booleans())
def test_any_series_is_drawn_within_its_frame(values: list[float], wide: bool) -> None:
    drawing = chart.curve("loss", list(enumerate(values)), wide=wide)
    if not any(map(math.isfinite, values)):
        assert drawing == ""
        return
    Checked(drawing)
    assert "nan" not in drawing.replace("no number", "")
    for part in drawing.split(' d="M')[1:]:
        for pair in part.split('"')[0].split("L"):
            if len(numbers := pair.split(" ")) == 2:
                assert 0 <= float(numbers[0]) <= 960
                assert 0 <= float(numbers[1]) <= 250


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_ticks_are_few_round_and_around_the_values(low: float, width: float) -> None:
    found = chart.ticks(low, low + width, 4)
    assert 2 <= len(found) <= 8
    assert found[0] <= low + (abs(low) + width) * 1e-6 + 1e-12
    assert found[-1] >= low + width - (abs(low) + width) * 1e-6 - 1e-12


def test_a_long_series_is_thinned_and_a_straight_one_stays_straight() -> None:
    points = [(at, 2.0 * at) for at in range(9_600)]
    thinned = chart.thin(points)
    assert len(thinned) <= 600
    assert chart.smooth([value for _, value in thinned], 30) == pytest.approx([value for _, value in thinned])
    assert chart.thin([*points[:5000], (5000, None), *points[5001:]])[5000 // 16][1] is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (84_000_000, "80.1 MiB"), (269_512_345, "257 MiB"), (1_234, "1.2 KiB"), (None, "")],
)
def test_sizes(value: float | None, shown: str) -> None:
    assert number_format.size(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min"), (None, "")]
)
def test_durations(value: float | None, shown: str) -> None:
    assert number_format.seconds(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(3.18712, "3.1871"), (-2.0, "−2"), (1840, "1840"), (2e-05, "2e−05"), (math.inf, "∞"), (math.nan, "–"), (None, "–")]
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number_format.number(value) == shown


def test_page_of_is_a_function_of_the_facts(told) -> None:
    data, _, page = told
    assert page_of(data) == page


def test_the_models_at_the_ends_of_branches_are_told_from_those_on_the_way():
    def model(name: str, size: int, source: str) -> dict[str, Any]:
        return {"name": name, "size": size, "source": source, "format": "model/hf", "inserted": False, "state": "done", "service": False,
                "cached": False, "seconds": 1.0}  # fmt: skip

    run = {"state": "done", "started": None, "run": "r", "pipeline": "p", "error": None}
    line = [model("base", 3000, ""), model("merged", 9000, "base"), model("small", 1000, "merged")]
    assert "2.9 KiB → 1000 B" in (told := header(run | {"steps": line})), told
    assert "2.9 KiB → 1000 B to 2.0 KiB" in (told := header(run | {"steps": [*line, model("file", 2000, "merged")]})), told


def test_a_run_that_fails_has_its_report_and_the_next_end_another(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    failed = place.run(step("a", to=2), step("b", reads="a", fail="user"))
    assert "TINY-001" in failed.report.read_text()
    assert [s["state"] for s in data_of(failed)["steps"]] == ["done", "failed"]
    fixed = place.run(step("a", to=2), step("b", reads="a"), resume=failed.run)
    assert data_of(fixed)["state"] == "done"
    assert "TINY-001" not in fixed.report.read_text()


def test_what_stays_to_serve_has_its_report_while_it_does(tmp_path: Path) -> None:
    place = place_at(tmp_path)
    seen: list[Any] = []

    class Looking(Recorder):
        def service_ready(self, *facts: Any) -> None:
            seen.append(facts)
            threading.Thread(target=look).start()

    def look() -> None:
        while not (pages := list(place.home.glob("runs/*/report.html"))):
            time.sleep(0.01)
        seen.append(json.loads(pages[0].with_suffix(".json").read_text())["state"])
        runner.cancel()

    runner = Runner(plan(step("a", to=2), step("api", "answer", reads="a")), place, place, reporter=Looking())
    outcome = runner.run()
    assert seen[1] == "serving"
    assert data_of(outcome)["state"] == outcome.state == "done"


def test_a_report_that_can_not_be_written_is_told_and_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tunesmith_report.page.page_of", lambda data: 1 / 0)
    told = Recorder()
    outcome = place_at(tmp_path).run(step("a", to=2), reporter=told)
    assert (outcome.state, outcome.report) == ("done", None)
    (warning,) = [message for _, level, message in told.of("log") if level == "warning"]
    assert warning == "tunesmith-report failed in run_finished: ZeroDivisionError: division by zero"


KILLED = """
import os, signal, sys
from pathlib import Path
from tunesmith_report import plugin
replace = os.replace
def killed(draft, path):
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = killed
plugin._replace(Path(sys.argv[1]), "new" * 100000)
"""


def test_killed_while_it_is_written_it_leaves_the_old_one_whole(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("old")
    assert subprocess.run([sys.executable, "-c", KILLED, page], check=False).returncode == -9
    assert page.read_text() == "old"


def test_a_step_with_an_environment_of_its_own_is_in_the_table_of_what_ran_where() -> None:
    own = {"key": "key-of-one", "steps": ["a"], "python": "3.11.2", "size": 84_000_000, "packages": {"library": "1.2"}}
    page = environments.table({"environments": [{"key": "host", "steps": ["b"], "python": "", "size": None, "packages": {}}, own]})
    assert all(words in page for words in ("what ran where", "key-of-one", "library 1.2", "80.1 MiB"))


def test_what_a_plugin_has_found_out_stands_in_the_report_as_text() -> None:
    one = {
        "rule": "overfit", "step": "tune", "what": "overfit from <step> 9", "evidence": ["the loss was <b>1</b>"], "fix": "Stop there.",
        "command": "tunesmith run a.yaml --set x=<y>", "text": "rows are learned by heart", "source": "Prechelt (1998)",
    }  # fmt: skip
    page = Checked(findings({"findings": [one, {"what": "something else"}]}))
    expected = ("What to make of it", "overfit from <step> 9", "the loss was <b>1</b>", "--set x=<y>", "Prechelt (1998)", "something else")
    assert [words for words in expected if words not in page.words] == []
    assert findings({"findings": []}) == ""


@pytest.mark.parametrize("written", ["no JSON", "{}", "[3]", '[{"rule": 1}]', "3"])
def test_findings_that_are_none_are_passed_over(tmp_path: Path, written: str) -> None:
    (tmp_path / "findings.json").write_text(written)
    assert report_data._findings(SimpleNamespace(directory=tmp_path)) == []
