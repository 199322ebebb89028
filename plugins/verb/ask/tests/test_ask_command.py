"""`tunesmith ask` as it is typed: what it shows, asks and leaves alone. For cards that are not here, so nothing is fetched or run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tunesmith_ask import command
from tunesmith_cli.api import main
from tunesmith_recommend.api import recommended

SENTENCE = "QLoRA for Qwen3-0.6B on chats.jsonl, 2 epochs, on an A10, frobnicated"


_MADE: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder; the same recommendation is made once, for it takes a second."""

    def once(file: Path, wishes: Any, **more: Any) -> Any:
        key = repr((file, wishes))
        _MADE[key] = _MADE.get(key) or recommended(file, wishes, **more)
        return _MADE[key]

    monkeypatch.setattr("tunesmith_ask.pipeline.recommended", once)
    return folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """A terminal in which these lines are typed; what was asked."""
    asked: list[str] = []

    def lines(*answers: str) -> list[str]:
        waiting = iter(answers)

        def said(question: str) -> str:
            asked.append(question)
            try:
                return next(waiting)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr("builtins.input", said)
        for stream in (sys.stdin, sys.stdout):
            monkeypatch.setattr(stream, "isatty", lambda: True)
        return asked

    return lines


def test_it_shows_what_it_understood_and_the_pipeline_and_leaves_everything_as_it_was(capsys, here):
    assert main(["ask", SENTENCE]) == 0
    said = capsys.readouterr().out
    assert "adapter           qlora" in said
    assert "not understood: `frobnicated`" in said
    assert "# it was asked for" in said
    assert "Nothing was written or run. --yes does it." in said
    assert not (here / "tunesmith.yaml").exists()


def test_for_cards_that_are_not_here_yes_writes_the_file_and_runs_nothing(capsys, here):
    assert main(["ask", SENTENCE, "--yes"]) == 0
    tune = yaml.safe_load((here / "tunesmith.yaml").read_text())["steps"]["tune"]
    assert (tune["adapter"], tune["settings"]["num_train_epochs"]) == ("qlora", 2)
    assert "There: tunesmith run tunesmith.yaml" in capsys.readouterr().out
    assert main(["ask", SENTENCE, "--yes"]) == 2
    said = capsys.readouterr()
    assert "TS-RECOMMEND-004" in said.err
    assert not said.out, "it is told before anything is done"
    assert not (here / ".tunesmith" / "runs").exists()


@pytest.mark.parametrize(("said", "processes"), [("two A10", 2), ("an A10", 0)])
def test_as_many_cards_as_were_said_are_used_wherever_it_runs(capsys, here, said, processes):
    """In a machine with eight of them, the pipeline still says how many processes train."""
    row = (here / "chats.jsonl").read_text().splitlines()[0]
    (here / "many.jsonl").write_text(f"{row}\n" * 400)
    assert main(["ask", f"LoRA for Qwen3-4B on many.jsonl, on {said}", "--json"]) == 0
    strategy = json.loads(capsys.readouterr().out)["pipeline"]["steps"]["tune"]["strategy"]
    if not processes:
        assert strategy == "single"
        return
    ((name, settings),) = strategy.items()
    assert (name != "single", settings["num_processes"]) == (True, processes)


@pytest.mark.parametrize("answer", ["", "n", "maybe", None])
def test_whatever_is_no_yes_is_a_no(typed, capsys, here, answer):
    asked = typed(*([] if answer is None else [answer]))
    assert main(["ask", SENTENCE]) == 0
    assert "is not run here" in asked[0]
    assert "Nothing was written or run." in capsys.readouterr().out
    assert not (here / "tunesmith.yaml").exists()


def test_rows_that_are_missing_are_asked_for(typed, capsys, here):
    asked = typed("chats.jsonl", "y")
    assert main(["ask", "QLoRA for Qwen3-0.6B on an A10"]) == 0
    assert "Which file" in asked[0]
    assert yaml.safe_load((here / "tunesmith.yaml").read_text())["steps"]["tune"]["data"] == "chats.jsonl"


def test_which_card_and_which_file_is_asked_where_there_are_several(typed, capsys, here):
    asked = typed("chats.jsonl", "40", "y")
    assert main(["ask", "QLoRA for Qwen3-0.6B on chats.jsonl and pairs.jsonl, on an A100"]) == 0
    assert asked[:2] == ["Which file has the rows to learn from: chats.jsonl, pairs.jsonl? ", "Which card: A100-40GB or A100-80GB? "]
    assert "A100-40GB" in (here / "tunesmith.yaml").read_text()
    asked = typed("32")
    assert main(["ask", "QLoRA for Qwen3-0.6B on chats.jsonl, on two V100", "--file", "v.yaml"]) == 0
    assert "Which card: 2xV100-16GB or 2xV100-32GB? " in asked


def test_where_nobody_can_be_asked_the_smaller_card_is_taken_and_of_two_files_none(capsys, here):
    assert main(["ask", "QLoRA for Qwen3-0.6B on chats.jsonl, on an A100", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["prediction"]["device"], told["remarks"][0][:20]) == ("A100-40GB", "`A100-40GB` was take")
    assert main(["ask", "QLoRA on chats.jsonl and pairs.jsonl"]) == 2
    assert "TS-ASK-005" in capsys.readouterr().err


def test_after_a_yes_it_is_run_where_the_cards_are(typed, monkeypatch, here):
    typed("是")
    ran: list[list[str]] = []
    monkeypatch.setattr(command, "tunesmith", lambda words: ran.append(words) or 0)
    monkeypatch.setattr("tunesmith_ask.pipeline._has", lambda *_: True)
    assert main(["ask", SENTENCE, "--no-serve"]) == 0
    assert ran == [["run", "tunesmith.yaml", "--no-serve"]]


def test_where_nobody_can_be_asked_missing_rows_are_an_error_with_what_to_do(capsys):
    assert main(["ask", "train a model on two A10"]) == 2
    assert "TS-ASK-001" in capsys.readouterr().err
    assert main(["ask", "train a model with nowhere.jsonl"]) == 2
    assert "there is no file nowhere.jsonl" in capsys.readouterr().err


def test_for_a_program_it_is_json_and_nothing_is_run(capsys, here):
    assert main(["ask", "用合同.jsonl微调Qwen3-0.6B,写英文医疗报告,一张4090", "--json", "--yes"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["understood"]["unknown"] == ["报告"]
    assert told["remarks"][:2] == ["you said en; the rows are in zh", "you said medical; the rows are about legal"]
    assert told["prediction"]["memory"] > 0
    assert not (here / "tunesmith.yaml").exists()


def test_a_task_that_the_rows_are_not_for_is_told(capsys):
    assert main(["ask", SENTENCE.replace("frobnicated", "a classifier"), "--json"]) == 0
    assert "you said classification; the rows are for instruction" in json.loads(capsys.readouterr().out)["remarks"]


def test_a_setting_that_no_step_has_is_told(capsys):
    assert main(["ask", SENTENCE + ", bits=4", "--json"]) == 0
    assert "`bits` is in no step of this pipeline" in json.loads(capsys.readouterr().out)["remarks"]
