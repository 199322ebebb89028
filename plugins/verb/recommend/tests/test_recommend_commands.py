"""`recommend`, `init` and `probe` as they are typed, on a card that is not here: nothing is fetched or measured."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml

from tunesmith_cli.api import duration, main
from tunesmith_recommend.api import Prediction, Recommendation, Wanted, page

ROWS = '{"messages": [{"role": "user", "content": "Where is my order?"}, {"role": "assistant", "content": "It is on its way."}]}\n'
MODELS = {"families": [{
    "family": "Acme", "licence": "Acme", "released": "2026-01", "languages": ["en"], "template": "chatml", "context": 4096,
    "source": "the card",
    "config": {"model_type": "llama", "dtype": "bfloat16", "max_position_embeddings": 4096},
    "models": [{"uri": "hf://acme/small", "parameters": 0.135, "config": {
        "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
        "vocab_size": 49152, "tie_word_embeddings": True}}],
}]}  # fmt: skip
ON = ("--on", "A10", "--goal", "edge")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.jsonl").write_text(ROWS * 3)
    (tmp_path / "models.json").write_text(json.dumps(MODELS))
    return tmp_path


def test_a_recommendation_tells_each_choice_with_its_rule(capsys):
    assert main(["recommend", "--data", "train.jsonl", *ON]) == 0
    said = capsys.readouterr().out
    assert "learning_rate     0.0002: as `lora` says [tunesmith-lora:adapter.lora]" in said
    assert "dtype             bfloat16: A10 computes in it 4 times as fast as in float32 [setting.dtype]" in said
    assert "batch_size        4: 3 rows, 4 times: fewer than 100 steps, and no batch has fewer than 4 rows" in said
    assert "3 rows are few" in said
    assert "2 rows are there twice" in said
    assert "arXiv:2502.02737" in said
    assert "tunesmith init train.jsonl --goal edge --on A10" in said


def test_for_a_program_it_is_json(capsys):
    assert main(["recommend", "--data", "train.jsonl", *ON, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pipeline"]["steps"]["tune"]["data"] == "train.jsonl"
    assert said["prediction"]["seconds"] > 0
    assert all(choice["rule"]["source"] for choice in said["choices"])


def test_init_writes_a_file_that_plans_with_reasons_as_comments(capsys, folder):
    assert main(["init", "train.jsonl", *ON]) == 0
    text = (folder / "tunesmith.yaml").read_text()
    assert "# there are 3 rows" in text
    assert yaml.safe_load(text)["steps"]["tune"]["train"] == "sft"
    assert "tunesmith plan --on A10" in capsys.readouterr().out
    assert main(["init", "train.jsonl", *ON]) == 2
    assert "TS-RECOMMEND-004" in capsys.readouterr().err
    assert (folder / "tunesmith.yaml").read_text() == text


def test_a_pipeline_in_another_folder_names_the_rows_from_there(capsys, folder):
    assert main(["init", "train.jsonl", *ON, "--file", "none/small.yaml"]) == 2
    assert "TS-RECOMMEND-004" in capsys.readouterr().err
    (folder / "sub").mkdir()
    assert main(["init", "train.jsonl", *ON, "--file", "sub/small one.yaml"]) == 0
    assert yaml.safe_load((folder / "sub" / "small one.yaml").read_text())["steps"]["tune"]["data"] == "../train.jsonl"
    said = capsys.readouterr().out
    assert "  tunesmith plan 'sub/small one.yaml' --on A10  what it will do" in said
    assert [path.name for path in (folder / "sub").iterdir()] == ["small one.yaml"]


def test_the_command_that_is_offered_makes_the_same_recommendation(capsys, folder):
    (folder / "my rows.jsonl").write_text('{"ask": "Where is it?", "say": "On its way."}\n' * 2)
    words = ["--goal", "edge", "--budget", "2h", "--models", "models.json", "--columns", "instruction=ask,output=say", "--on", "A10"]
    assert main(["recommend", "--data", "my rows.jsonl", *words]) == 0
    offered = capsys.readouterr().out.rpartition("As a pipeline's file: ")[2]
    assert shlex.split(offered) == ["tunesmith", "init", "my rows.jsonl", *words]


@pytest.mark.parametrize("words", [["--goal", "edge"], ["--all"], ["--on", "A10"], ["--columns", "instruction=a"]])
def test_options_of_a_recommendation_are_refused_where_none_is_made(words, capsys):
    assert main(["recommend", "--track-record", *words]) == 2
    assert f"{words[0]} is of a recommendation" in capsys.readouterr().err


def test_a_model_of_ones_own_is_recommended_where_it_suits_best(capsys, folder):
    told = MODELS["families"][0]
    models = [{**told["models"][0], "uri": "hf://acme/clerk", "languages": ["en"], "domains": ["customer-service"]}]
    (folder / "models.json").write_text(json.dumps({"families": [{**told, "models": models}]}))
    (folder / "train.jsonl").write_text(ROWS.replace("order?", "order, and when is my refund?"))
    assert (
        main(
            ["recommend", "--data", "train.jsonl", "--on", "A10", "--goal", "edge", "--budget", "20s", "--models", "models.json", "--json"]
        )
        == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["domains"] == {"customer-service": 1.0}
    assert found["pipeline"]["model"] == "hf://acme/clerk"
    assert "model.field" in {choice["rule"]["id"] for choice in found["choices"]}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "train.jsonl", "--on", "A10", "--task", "frobbing"], "no task that is known"),
        (["--data", "labels.csv", "--on", "A10", "--task", "chat"], "`classify-tokens`, which are for other tasks"),
        (["--data", "broken.csv"], "1 row is broken"),
        (["--data", "empty.csv"], "columns' names into its first line"),
        (["--data", "odd.csv"], "`--columns instruction=ask,output=say`"),
        (["--data", "gone.jsonl"], "TS-DATA-001"),
        (["--data", "odd.jsonl"], "TS-RECOMMEND-003"),
        (["--data", "train.jsonl", "--on", "Z99"], "TS-PLAN-007"),
        (["--data", "train.jsonl", "--on", "2xA100"], "how much memory it has: A100-40GB or A100-80GB"),
        (["--data", "train.jsonl", "--on", "A10", "--models", "train.jsonl"], "TS-RECOMMEND-002"),
        (["--data", "train.jsonl", "--on", "A10", "--budget", "soon"], "TS-CLI-002"),
        (["--data", "train.jsonl", "--on", "A10", "--budget", "0.01s", "--goal", "edge"], "TS-RECOMMEND-001"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(words, said, capsys, folder):
    (folder / "odd.jsonl").write_text('{"alpha": 1}\n')
    rows = {"labels": "text,label\nfine,good\n", "broken": "instruction,output\nq,a\nq\n", "empty": "text,label\n", "odd": "ask,say\nq,a\n"}
    for name, text in rows.items():
        (folder / f"{name}.csv").write_text(text)
    assert main(["recommend", *words]) == 2
    assert said in capsys.readouterr().err


def test_columns_whose_names_say_what_they_are_are_taken_for_it_and_that_is_told(capsys, folder):
    (folder / "faq.csv").write_text("question,answer\n" + "Where is it?,On its way.\n" * 2)
    assert main(["recommend", "--data", "faq.csv", *ON, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pipeline"]["steps"]["tune"]["data"] == {"path": "faq.csv", "columns": {"instruction": "question", "output": "answer"}}
    assert any("taken so: instruction=question, output=answer" in remark for remark in found["remarks"])


def test_a_column_may_be_called_otherwise(capsys, folder):
    (folder / "faq.jsonl").write_text('{"ask": "Where is it?", "say": "On its way."}\n' * 2)
    columns = ["--columns", "instruction=ask,output=say"]
    assert main(["recommend", "--data", "faq.jsonl", *columns, *ON, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["pipeline"]["steps"]["tune"]
    assert found["data"] == {"path": "faq.jsonl", "columns": {"instruction": "ask", "output": "say"}}


def test_time_has_a_range_where_runs_were_measured_and_cards_are_counted():
    told = Prediction(60.0, 30, 1e9, "A10", 24e9, 1e9, {"time": "measured: from 5 runs here"}, devices=2, low=50.0, high=90.0)
    found = page(Recommendation({}, (), told), Wanted("a.jsonl", {"task": "chat", "rows": 3, "tokens": 9, "languages": (), "domains": (),
                                                                  "modalities": ("text",)}))  # fmt: skip
    assert "machine  2 x A10, 22.4 GiB each" in found
    assert f"about {duration(60)} of training ({duration(50)} to {duration(90)}), 30 optimizer steps" in found


def test_probe_tells_of_a_card_by_its_data_sheet(capsys):
    assert main(["probe", "--on", "2xA10"]) == 0
    said = capsys.readouterr().out
    assert said.count("A10") == 2
    assert "125 bfloat16" in said
    assert main(["probe", "--on", "A10", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["devices"]["cuda"][0]["facts"]["bandwidth"] > 0
