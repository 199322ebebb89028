"""`tunesmith data preview`: the page that it prints. That the tokens are right is its plugin's to test."""

from __future__ import annotations

import re

from tunesmith_cli.display.token_page import token_page as page

SEQUENCE = {
    "name": "", "tokens": [1, 2, 3, 4, 5], "texts": ["<u>", "Hello\n", "<a>", "Hi", "<e>"], "labels": [False, False, False, True, True],
    "turns": [{"role": "user", "start": 0, "stop": 2}, {"role": "assistant", "start": 2, "stop": 5}], "doubts": [], "media": [],
}  # fmt: skip
TOTAL = {"rows": 3, "broken": 0, "lengths": [3, 5, 9], "max_length": 2048}


def shown(*rows, colours: bool = False, **total) -> list[str]:
    return page(rows, TOTAL | total, colours=colours).splitlines()


def test_roles_counts_and_marks_where_there_are_no_colours():
    lines = shown({"row": 1, "sequences": [SEQUENCE]})
    assert lines[2:] == [
        "row 1: 5 tokens, 2 trained on", "-- user: 2 tokens, 0 trained on", "<u>·Hello", "",
        "-- assistant: 3 tokens, 2 trained on", "<a>⟦Hi·<e>⟧", "",
        "tokens in the first 3 rows: shortest 3, median 5, longest 9",
    ]  # fmt: skip


def test_colours_tell_labels_and_say_the_same_words():
    coloured = "\n".join(shown({"row": 1, "sequences": [SEQUENCE]}, colours=True))
    learnt = "".join(re.findall(r"\x1b\[30;\d+m([^\x1b]*)\x1b\[0m", coloured.split("row 1")[1]))
    assert learnt == "Hi<e>"
    assert "⟦" not in coloured
    assert all(line.count("\x1b[0m") * 2 == line.count("\x1b[") for line in coloured.splitlines())  # a colour ends before its line does


def test_doubts_errors_and_lengths_stand_out():
    doubtful = {**SEQUENCE, "name": "chosen", "doubts": ["no token is trained on"]}
    broken = {"row": 2, "sequences": [], "error": {"code": "ACME-1", "what": "it is odd", "fix": "Fix it."}}
    lines = shown({"row": 1, "sequences": [doubtful]}, broken, max_length=4, broken=1)
    assert "row 1, chosen: 5 tokens, 2 trained on" in lines
    assert "!! no token is trained on" in lines
    assert "row 2 can't be used: ACME-1: it is odd" in lines
    assert "!! 2 of them are longer than 4 tokens; `max_length: 9` would cut none" in lines
    assert lines[-1] == "!! 1 rows can't be used"


def test_a_row_that_is_not_there_is_told_before_anything_is_begun(world):
    told = world("data", "preview", "rows.jsonl", "--model", "shelf://it", "--row", "3")
    assert (told.status, "TS-DATA-044: There is no row 3: rows.jsonl has 2" in told.err) == (2, True)
    assert world("runs", "list").out.startswith("Nothing has been run")


def test_without_a_plugin_that_shows_rows_it_says_so(world):
    world.write("tunesmith.toml", '[plugins]\ndeny = ["acme-*"]\n')
    told = world("data", "preview", "rows.jsonl", "--model", "desk://it")
    assert told.status == 2
    assert "TS-PLAN-005" in told.err
