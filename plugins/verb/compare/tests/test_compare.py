"""Models stand beside one another where they were asked the same in the same way, and a difference is said where rows show it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from tunesmith.errors import UserError
from tunesmith_compare import command
from tunesmith_compare.answers import answer_rows
from tunesmith_compare.comparison import comparisons, labels, not_comparable
from tunesmith_compare.page import page_of
from tunesmith_compare.result import results
from tunesmith_statistics import mcnemar

from .past_evaluations import evaluation, view

MODELS = {"model": "a" * 64, "tune": "b" * 64, "small": "c" * 64}
BASE = [True] * 20 + [False] * 20
TUNED = [False] + [True] * 33 + [False] * 6
ALIKE = [True] * 18 + [False] * 20 + [True] * 2


@pytest.fixture
def run(tmp_path: Path):
    told = [("model", evaluation(tmp_path / "one", BASE)), ("tune", evaluation(tmp_path / "two", TUNED)),
            ("small", evaluation(tmp_path / "three", ALIKE, {"concurrency": 2}))]  # fmt: skip
    return view("20260131-0930", MODELS, told)


@pytest.fixture
def past(run, monkeypatch):
    """Runs by their ids, the last one first; those of the fixture may be added to."""
    runs = {"20260131-0930": run}

    @contextmanager
    def chosen(name):
        yield runs[name or next(iter(runs))]

    @contextmanager
    def every():
        yield list(runs.values())

    monkeypatch.setattr(command, "chosen_run", chosen)
    monkeypatch.setattr(command, "past_runs", every)
    return runs


def test_each_model_is_held_against_the_base_row_by_row(run):
    (one,) = comparisons(results(run))
    base, tuned, alike = one.standings("exact_match")
    assert (base.verdict, tuned.verdict, alike.verdict) == ("", "better", "within chance")
    assert tuned.difference is not None
    assert tuned.difference.value == pytest.approx(33 / 40 - 0.5)
    assert tuned.p == pytest.approx(2 * mcnemar(BASE, TUNED).p)  # of two tests, by Holm's method
    assert alike.p == 1.0
    assert tuned.rows == 40


def test_a_worse_model_is_told_as_one_whichever_direction_is_better(run):
    (one,) = comparisons(results(run), base="tune")
    verdicts = {at.model: at.verdict for at in one.standings("exact_match")}
    assert verdicts == {"model": "worse", "tune": "", "small": "worse"}


def test_other_settings_and_other_rows_are_told_as_not_comparable(tmp_path, run):
    other = view("20260131-1012", MODELS, [
        ("tune", evaluation(tmp_path / "four", TUNED, {"num_fewshot": 2})), ("tune", evaluation(tmp_path / "five", TUNED, data="f" * 64)),
        ("tune", evaluation(tmp_path / "six", TUNED, evaluator="judge")),
    ])  # fmt: skip
    found = comparisons([*results(run), *results(other)])
    assert [(one.evaluator, list(one.results)) for one in found] == [
        ("generation", ["model", "tune", "small"]), ("generation", ["tune"]), ("generation", ["tune"]), ("judge", ["tune"]),
    ]  # fmt: skip
    assert [differences for _, _, differences in not_comparable(found)] == [
        [("num_fewshot", "", "2")], [("data", "d" * 64, "f" * 64)],
    ]  # fmt: skip


def test_requests_that_differ_without_another_setting_are_not_comparable_unless_answers_are_drawn(tmp_path):
    found = {}
    for temperature in (0.0, 0.7):
        told = []
        for name in ("model", "tune"):
            made = evaluation(tmp_path / f"{temperature}{name}", BASE, {"temperature": temperature})
            (made["folder"] / "asked.json").write_text(json.dumps({"digest": name}))
            told.append((name, made))
        found[temperature] = comparisons(results(view("1", MODELS, told)))
    assert len(found[0.7]) == 1
    (differences,) = [told for _, _, told in not_comparable(found[0.0])]
    assert differences == [("requests", "model", "tune")]


def test_models_of_one_name_are_told_apart_by_their_runs_and_one_of_two_names_is_one(tmp_path, run):
    other = view("20260131-1012", {"tune": "9" * 64, "base": "a" * 64}, [])
    models = [one.model for one in results(run)]
    again = view(
        "2", {"tune": "9" * 64, "base": "a" * 64}, [("tune", evaluation(tmp_path / "x", BASE)), ("base", evaluation(tmp_path / "y", BASE))]
    )
    names = labels([*models, *(one.model for one in results(again))])
    assert set(names.values()) == {"model", "tune (20260131-0930)", "small", "tune (2)"}
    assert other.row.id not in "".join(names.values())


def test_rows_without_a_score_are_counted_and_no_difference_is_made_of_them(tmp_path):
    told = [("model", evaluation(tmp_path / "one", [*BASE, None])), ("tune", evaluation(tmp_path / "two", [None, *TUNED]))]
    (one,) = comparisons(results(view("1", MODELS, told)))
    assert one.counts("tune") == {"scored": 40, "unparsed": 1}
    assert one.standings("exact_match")[1].rows == 39


def test_answers_that_differ_come_first_and_of_these_what_was_lost(run):
    (one,) = comparisons(results(run))
    rows = answer_rows(one)
    assert rows[0].question == "question 0"  # the base alone and `small` had it right
    assert [row.apart for row in rows] == sorted((row.apart for row in rows), reverse=True)


def test_the_terminal_shows_the_tables_and_what_differs(past, capsys):
    assert command.main([]) == 0
    told = capsys.readouterr().out
    assert "generation, 40 rows" in told
    (line,) = [line for line in told.splitlines() if line.strip().startswith("tune ")]
    assert "+0.325" in line
    assert line.endswith("better")
    assert "rows are answered otherwise" in told


def test_a_leaderboard_has_the_best_of_all_runs_first_and_who_is_as_good(past, tmp_path, capsys):
    past["20260101-0000"] = view("20260101-0000", {"old": "7" * 64}, [("old", evaluation(tmp_path / "old", [True] * 32 + [False] * 8))])
    assert command.main(["--leaderboard"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()[:1].isdigit()]
    assert [line[:3] for line in lines][:2] == [["1", "tune", "20260131-0930"], ["2", "old", "20260101-0000"]]
    assert lines[1][-1] == "chance"
    assert lines[3][-1] != "chance"


def test_the_page_holds_what_models_said_as_text_and_marks_rows_that_differ(past, tmp_path, capsys):
    assert command.main(["--html", str(tmp_path / "page.html"), "--rows", "3"]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "&lt;one&gt;" in page
    assert "<one>" not in page
    assert page.count('class="answer unlike"') == 3
    assert "<script" not in page
    assert page.count('class="picture"') == 3


def test_json_has_the_same(past, capsys):
    assert command.main(["--json", "--model", "model", "--model", "tune"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["comparisons"]
    assert list(told["models"]) == ["model", "tune"]
    assert told["metrics"]["exact_match"]["standings"][1]["verdict"] == "better"
    assert len(told["differing"]) == 40


def test_a_page_of_a_leaderboard_has_no_answers(run):
    page = page_of(comparisons(results(run)), ranked=True)
    assert 'class="answers"' not in page
    assert page.index("<td>tune") < page.index("<td>model")


def test_nothing_to_compare_and_a_name_that_nobody_has_are_refused(past):
    with pytest.raises(UserError, match="TS-EVAL-006"):
        command.run(command_arguments(evaluator="judge"))
    with pytest.raises(UserError, match="TS-EVAL-007"):
        command.run(command_arguments(base="modle"))


def command_arguments(**given):
    from argparse import ArgumentParser

    parser = ArgumentParser()
    command.configure(parser)
    return parser.parse_args([word for name, value in given.items() for word in (f"--{name}", value)])
