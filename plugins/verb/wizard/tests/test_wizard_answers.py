"""Answers are kept as they come and replayed; what does not fit is told by its code, before anything runs."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import yaml

from tunesmith_cli.api import main
from tunesmith_wizard import models
from tunesmith_wizard.answers import Answers
from tunesmith_wizard.front.numbered_lines import NumberedLines
from tunesmith_wizard.interview import Interview
from tunesmith_wizard.machine import Machine

CHAT = {"want": "chat", "engine": "auto", "file": "chat.yaml", "run": "no"}


@pytest.fixture
def chat(project: Path, model: Path):
    """The answers of somebody who wants to chat, with others; gives the exit status."""

    def replay(*words: str, **others: object) -> int:
        told = {name: value for name, value in {**CHAT, "model": f"file://{model}", **others}.items() if value is not None}
        (project / "answers.yaml").write_text(yaml.safe_dump(told))
        return main(["wizard", "--answers", "answers.yaml", *words])

    return replay


def test_answers_lead_to_a_pipeline_that_plans_and_to_the_commands_that_do_the_same(chat, capsys, project, model):
    assert chat() == 0
    said = capsys.readouterr().out
    assert yaml.safe_load((project / "chat.yaml").read_text()) == {
        "name": "chat", "model": f"file://{model}", "steps": {"api": {"serve": "auto"}},
    }  # fmt: skip
    assert "$ tunesmith plan chat.yaml" in said
    assert "peak memory" in said
    assert "    tunesmith chat --from api --pipeline chat.yaml" in said
    assert "recommended: chat with a model" in said
    assert "8.0 GiB of 16.0 GiB memory free" in said


def test_what_is_kept_is_what_was_answered(chat, project):
    assert chat("--save-answers", "kept.yaml") == 0
    assert read(project / "kept.yaml") == read(project / "answers.yaml")
    assert main(["wizard", "--answers", "kept.yaml"]) == 0


@pytest.mark.parametrize(
    ("others", "code", "why"),
    [
        ({"want": "fly"}, "TS-WIZARD-002", "one of chat, tune"),
        ({"engine": None}, "TS-WIZARD-002", "nobody is there to answer `engine`"),
        ({"model": "nowhere"}, "TS-WIZARD-002", "this is no address"),
        ({"file": "train.jsonl"}, "TS-WIZARD-002", "a pipeline's file ends in .yaml"),
        ({"port": 8000}, "TS-WIZARD-003", "answers `port`, which is not asked"),
    ],
)
def test_an_answer_that_does_not_fit_is_told_before_anything_runs(chat, capsys, others, code, why):
    assert chat(**others) == 2
    said = capsys.readouterr().err
    assert code in said
    assert why in said


def test_of_answers_that_are_no_yaml_the_line_is_told(project, capsys):
    (project / "answers.yaml").write_text("model: x\nwant: [\n")
    assert main(["wizard", "--answers", "answers.yaml"]) == 2
    assert "is no YAML" in (told := capsys.readouterr().err)
    assert "line 3" in told or "line 2" in told


@pytest.mark.parametrize("text", ["- a list\n", "{: no yaml", "want: [chat]\n"])
def test_a_file_that_holds_no_answers_is_told(project, capsys, text):
    (project / "answers.yaml").write_text(text)
    assert main(["wizard", "--answers", "answers.yaml"]) == 2
    assert "TS-WIZARD-001" in capsys.readouterr().err


def test_a_pipeline_that_holds_something_else_is_not_written_over(chat, capsys, project):
    (project / "chat.yaml").write_text("name: mine\n")
    assert chat() == 2
    assert "holds something else" in capsys.readouterr().err
    assert (project / "chat.yaml").read_text() == "name: mine\n"


def test_numbered_lines_take_numbers_words_and_the_recommended_answer(project, capsys, monkeypatch, model):
    typed = ["nine", "1", f"file://{model}", "", "talk.yaml", "2"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in typed)))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["wizard", "--plain"]) == 0
    said = capsys.readouterr().out
    assert "  1) chat with a model *" in said
    assert "! a number from 1 to " in said
    assert "\x1b" not in said
    assert (project / "talk.yaml").is_file()


def test_the_end_of_what_is_typed_stops_it_and_the_next_time_it_goes_on_from_there(project, capsys, monkeypatch, model):
    def sit(*typed: str) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(line + "\n" for line in typed)))
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        return main(["wizard", "--plain"])

    assert sit("1", f"file://{model}") == 130
    assert "nothing is lost" in capsys.readouterr().out
    assert sit("8") == sit("7", "8") == 0, "who leaves, or looks around, has not ended what was begun"
    assert sit("1") == 130, "who goes on and stops once more"
    capsys.readouterr()
    assert sit("1", "", "chat.yaml", "2") == 0
    said = capsys.readouterr().out
    assert "go on where you stopped" in said
    assert said.count("? Which model?") == 1
    assert sit("7") == 0
    assert "go on where you stopped" not in capsys.readouterr().out


def test_an_answer_that_holds_no_longer_is_asked_for_where_somebody_is_there(project, capsys, monkeypatch, model):
    (project / "chat.yaml").write_text("name: mine\n")
    (project / "answers.yaml").write_text(yaml.safe_dump({**CHAT, "model": f"file://{model}"}))
    monkeypatch.setattr(sys, "stdin", io.StringIO("deep/other.yaml\nother.yaml\n"))
    (project / "deep").mkdir()
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert main(["wizard", "--plain", "--answers", "answers.yaml"]) == 0
    said = capsys.readouterr().out
    assert "chat.yaml is there already and holds something else" in said
    assert "it has to lie in this folder" in said
    assert (project / "other.yaml").is_file()


def test_models_are_asked_for_no_further_than_they_are_shown(project, monkeypatch, model):
    from tunesmith_cli.api import Session
    from tunesmith_recommend.api import BaseModel
    from tunesmith_wizard.models import Models

    many = [BaseModel(f"hf://acme/{number}", "Acme", 1e5 + number, template="chatml", bytes=1000) for number in range(40)]
    many.append(BaseModel("hf://acme/sums", "Acme", 9e8, template="chatml", bytes=1000, domains=("math",)))
    monkeypatch.setattr(models, "installed_models", lambda registry: (many, []))
    asked: list[str] = []
    monkeypatch.setattr(Models, "_there", lambda self, one: asked.append(one.uri) or True)
    found = Models(Session.open(), Machine(Session.open()))
    monkeypatch.setattr(Interview, "choose", lambda self, key, text, options, *rest, **more: options[0].value)
    found.ask(Interview(Answers(), NumberedLines(), there=True), "model", "Which model?")
    assert asked == [f"hf://acme/{number}" for number in range(39, 31, -1)], "one that was made for sums is not the first to talk with"


def read(path: Path) -> dict[str, str]:
    return yaml.safe_load(path.read_text())
