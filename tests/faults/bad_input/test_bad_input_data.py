"""Mistakes in data files: told with the file and the line before anything is begun."""

from __future__ import annotations

import json

import pytest

from tunesmith_sdk.distributions.written_plugins import write_plugin

ROWS = [{"instruction": f"What is {n} plus {n + 1}?", "output": f"It is {2 * n + 1}."} for n in range(12)]
LINES = [json.dumps(row) + "\n" for row in ROWS]
DPO = "name: bot\nmodel: file://model\nsteps:\n  tune: {train: dpo, adapter: lora, data: pairs.jsonl}\n"


def test_a_misspelt_column_is_named_and_renaming_it_as_offered_fixes_the_file(project) -> None:
    project.write("train.jsonl", "".join(LINES).replace('"output"', '"ouput"'))
    answer = project.refuses(codes="TS-DATA-004", says=["tunesmith.yaml:4", "train.jsonl", "line 1", "`output` is missing", "`ouput`"])
    (wrong,) = answer.offers
    project.write("train.jsonl", (project.folder / "train.jsonl").read_text().replace(wrong, "output"))
    project.plans()


def test_a_column_misspelt_in_one_row_is_told_with_its_line(project) -> None:
    project.write("train.jsonl", "".join([*LINES[:6], LINES[6].replace("output", "ouput"), *LINES[7:]]))
    project.refuses(codes="TS-DATA-003", says=["1 of 12 rows is broken", "line 7 `output` is missing"])


def test_a_line_cut_off_is_told_with_its_number_and_removing_it_fixes_the_file(project) -> None:
    project.write("train.jsonl", "".join(LINES)[:-9])
    project.refuses(codes="TS-DATA-003", says=["train.jsonl: 1 of 12 rows is broken", "line 12 is cut off", "data inspect train.jsonl"])
    looked = project("data", "inspect", "train.jsonl")
    assert (looked.status, "line 12  is cut off" in looked.out) == (1, True)
    project.write("train.jsonl", "".join(LINES[:-1]))
    project.plans()


WRONG = {
    "empty": ("", "TS-DATA-002", ["train.jsonl has no rows"]),
    "blank": ("\n \n\n", "TS-DATA-002", ["train.jsonl has no rows"]),
    "a line cut in the middle": ("".join([*LINES[:3], LINES[3][:20] + "\n", *LINES[4:]]), "TS-DATA-003", ["line 4"]),
    "two objects on a line": ("".join([*LINES[:3], LINES[3].strip() + LINES[4], *LINES[5:]]), "TS-DATA-003", ["line 4"]),
    "a list among objects": ("".join([*LINES[:3], "[1, 2]\n", *LINES[4:]]), "TS-DATA-003", ["line 4"]),
    "a number for text": ("".join([*LINES[:3], '{"instruction": "x", "output": 7}\n', *LINES[4:]]), "TS-DATA-003", ["line 4 `output`"]),
    "prose": ("Once upon a time\nthere was a row.\n", "TS-DATA-003", ["no row can be read", "line 1"]),
    "unknown columns": ('{"colour": "red"}\n{"colour": "blue"}\n', "TS-DATA-004", ["`colour`", "`instruction`", "`messages`"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_data_file_that_cannot_be_trained_on(what: str, project) -> None:
    text, code, says = WRONG[what]
    project.write("train.jsonl", text)
    project.refuses(codes=code, says=["tunesmith.yaml:4", *says])


def test_bytes_that_are_no_text(project) -> None:
    (project.folder / "train.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    answer = project.refuses(codes="TS-DATA-006", says=["train.jsonl"])
    assert answer.err.isprintable() or "\\x" not in answer.err


def test_a_missing_file_says_what_lies_beside_it_and_where_it_was_looked_for(project) -> None:
    (project.folder / "train.jsonl").rename(project.folder / "train_v2.jsonl")
    project.refuses(codes="TS-DATA-001", says=["`train_v2.jsonl`", f"looked for in {project.folder}."])


def test_a_missing_directory(project) -> None:
    project.pipeline((project.folder / "tunesmith.yaml").read_text().replace("train.jsonl", "data/train.jsonl"))
    project.refuses(codes="TS-DATA-001", says=["data/train.jsonl", f"There is no directory {project.folder / 'data'}"])


def test_inspecting_a_file_that_is_not_there(project) -> None:
    project.refuses("data", "inspect", "trian.jsonl", codes="TS-DATA-001", says=["`train.jsonl`"])


def test_conversations_are_no_preferences(project) -> None:
    project.write("pairs.jsonl", "".join(LINES))
    project.pipeline(DPO)
    project.refuses(codes="TS-DATA-005", says=["pairs.jsonl has rows of `alpaca`", "the objective `dpo`", "`chosen`, `rejected`"])


def test_a_misspelt_column_of_preferences(project) -> None:
    project.write("pairs.jsonl", '{"prompt": "2 + 2?", "choosen": "four", "rejected": "it is five"}\n' * 4)
    project.pipeline(DPO)
    answer = project.refuses(codes="TS-DATA-004", says=["`chosen` is missing", "`choosen`"])
    project.write("pairs.jsonl", (project.folder / "pairs.jsonl").read_text().replace(answer.offers[0], "chosen"))
    project.plans()


TICKETS = """
class Provider:
    def convert(self, row):
        turns = [("user", row["query"]), ("assistant", row["solution"])]
        return {"messages": [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in turns]}
"""


def test_a_format_that_is_not_installed_is_found_by_its_columns_once_it_is(project, tmp_path) -> None:
    """The remedy of "fits none": a plugin for the format. It is asked about the rows in a worker; one that can't be is told."""
    project.write("train.jsonl", '{"query": "2 + 2?", "solution": "4"}\n' * 4)
    project.refuses(codes="TS-DATA-004", says=["install a plugin for this format"])
    schema = {"type": "object", "required": ["query", "solution"], "properties": {}}
    tickets = {"kind": "dataset_format", "name": "tickets", "produces": ("dataset/chat",), "facts": {"row": schema}}
    write_plugin(tmp_path / "site", "acme-tickets", providers=[tickets])
    project.variables["PYTHONPATH"] = str(tmp_path / "site")
    project.refuses(codes="TS-DATA-048", says=["`tickets` crashed", "was imported"])
    (tmp_path / "site" / "acme_tickets" / "provider.py").write_text(TICKETS)
    assert "prepare tickets" in project.plans().out
