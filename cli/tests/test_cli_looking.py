"""Commands that look: data, runs, doctor."""

from __future__ import annotations

import json
import sqlite3
import webbrowser

import pytest

TAUGHT = ("echo", "--model", "shelf://hello", "--data", "rows.jsonl")


def test_inspect_tells_of_a_good_file(world):
    told = world("data", "inspect", "rows.jsonl")
    assert told.status == 0
    assert "pairs, becomes dataset/chat" in told.out
    assert "2, all usable" in told.out
    assert "no row is broken, empty or there twice" in told.out
    assert 'line 1: {"q": "who?"' in told.out


def test_inspect_tells_of_broken_rows_with_their_lines_and_fails(world):
    rows = ['{"q": "a", "a": "b"}'] * 14 + ['{"q": "a"}', '{"q": ', '{"q": "c", "a": ""}']
    world.write("bad.jsonl", "\n".join(rows) + "\n")
    told = world("data", "inspect", "bad.jsonl")
    assert told.status == 1
    assert "line 15" in told.out
    assert "line 16" in told.out
    assert "duplicates: 13" in told.out
    assert "... 3 more (--all, --json)" in told.out
    assert "... " not in world("data", "inspect", "bad.jsonl", "--all").out
    assert world("data", "inspect", "bad.jsonl", "--json").json["broken_count"] == 2


def test_a_column_that_differs_by_case_from_one_that_is_read_is_told(world):
    world.write("rows.jsonl", '{"q": "who?", "a": "me", "Q": "why?", "id": 3}\n')
    seen = world("data", "inspect", "rows.jsonl").out
    assert "Q (1; q would be)" in seen
    assert "id (1)" in seen
    assert "`Q` (1 rows, it reads `q`)" in " ".join(world(*TAUGHT, "--plan").out.split())


def test_inspect_plan_and_run_say_the_same_of_a_row_that_the_format_refuses(world):
    world.write("rows.jsonl", '{"q": "who?", "a": "me"}\n{"q": "who?", "a": "nobody"}\n')
    seen = world("data", "inspect", "rows.jsonl")
    assert (seen.status, "1 usable of 2" in seen.out, "`a` is nobody" in seen.out) == (1, True, True)
    for words in ([*TAUGHT, "--plan"], TAUGHT):
        told = world(*words)
        assert told.status
        assert "TS-DATA-020" in told.err
        assert "line 2: `a` is nobody" in told.err


def test_inspect_of_rows_that_no_format_fits_fails_with_what_to_write_which_works(world):
    world.write("odd.jsonl", '{"query": "who?", "a": "me"}\n')
    seen = world("data", "inspect", "odd.jsonl")
    assert seen.status == 1
    assert "TS-DATA-004" in seen.out
    assert "`--columns q=query`" in seen.out
    assert world("data", "inspect", "odd.jsonl", "--columns", "q=query").status == 0
    assert world("data", "inspect", "odd.jsonl", "--json").json["problem"]["code"] == "TS-DATA-004"
    assert world(*TAUGHT[:-1], "odd.jsonl", "--columns", "q=query").status == 0
    assert world("data", "inspect", "odd.jsonl", "--columns", "q").status == 2


def test_a_column_with_a_comma_in_its_name_is_for_a_pipeline_and_the_error_says_so(world):
    world.write("odd.jsonl", '{"who, then?": "who?", "a": "me"}\n')
    told = world("data", "inspect", "odd.jsonl", "--columns", "q=who, then?")
    assert told.status == 2
    assert "data: {path: FILE, columns: {WANTED: 'a, b'}}" in told.err


def test_a_run_tells_who_made_what_of_what(world):
    world(*TAUGHT)
    steps = {step["step"]: step for step in world("runs", "show", "--json").json["steps"]}
    taught = next(step for step in steps.values() if step["producer"]["verb"] not in ("download", "prepare"))
    assert set(taught["inputs"].values()) <= {step["artifact"] for step in steps.values()}
    assert taught["producer"]["distribution"] == "acme-desk"


def test_inspect_of_what_is_not_there(world):
    told = world("data", "inspect", "row.jsonl")
    assert told.status == 2
    assert "Did you mean `rows.jsonl`?" in told.err


def test_a_file_without_a_command_is_looked_into(world):
    assert world("data", "rows.jsonl") == world("data", "inspect", "rows.jsonl")
    assert world("data", "rows.jsonl", "--json").json["rows"] == 2
    assert "Did you mean `rows.jsonl`?" in world("data", "row.jsonl").err


@pytest.mark.parametrize(("words", "code", "says"), [
    (("data", "/dev/null"), "TS-DATA-006", "it is a device"), (("data", ""), "TS-CLI-002", "is empty"),
    (("data", "inspect", ""), "TS-CLI-002", "is empty"), ((*TAUGHT[:-1], ""), "TS-SPEC-005", "`data` is empty"),
    (("data", "."), "TS-DATA-006", "directory"), (("data", "looked"), "TS-CLI-001", "no command"),
])  # fmt: skip
def test_what_is_no_file_of_rows_is_told_as_such(world, words, code, says):
    told = world(*words)
    assert told.status == 2
    assert (code in told.err, says in told.err) == (True, True), told.err


def test_a_step_that_makes_rows_as_tokens_shows_them(world):
    told = world("spell", "--model", "shelf://it")
    assert told.status == 0
    assert "-- assistant: 1 tokens, 1 trained on" in told.out
    assert "⟦me⟧" in told.out
    assert all(line.startswith("{") for line in world("spell", "--model", "shelf://it", "--json").out.splitlines())


def test_a_run_that_lay_still_says_what_its_steps_took(world):
    assert world(*TAUGHT).status == 0
    run = world("runs", "list", "--json").json[0]["id"]
    assert "from its start to its end" not in world("runs", "show").out
    with sqlite3.connect(next(world.folder.parent.rglob("journal.sqlite"))) as journal:
        journal.execute("UPDATE runs SET started = started - 7200 WHERE id = ?", (run,))
    assert "2 h 00 min from its start to its end; its steps took" in world("runs", "show").out


def test_runs_are_listed_shown_and_their_logs_read(world):
    assert world("runs", "list").out.startswith("Nothing has been run in")
    assert world("runs", "show").status == 2
    world(*TAUGHT)
    world(*TAUGHT, "--fail", "run")
    listed = world("runs", "list", "--json").json
    assert [run["state"] for run in listed] == ["failed", "done"]
    assert world("runs", "list").out.splitlines()[1].startswith(listed[0]["id"])
    last, first = world("runs", "show"), world("runs", "show", listed[1]["id"])
    assert "TS-RUN-011: the beads fell off" in last.out
    assert f"tunesmith resume {listed[0]['id']}" in last.out
    assert "loss 0.5, rows 2" in first.out
    assert "learn quietly (the room is small)" in first.out
    assert {step["step"]: step["metrics"] for step in world("runs", "show", listed[1]["id"], "--json").json["steps"]}["echo"]["rows"] == 2
    logs = world("runs", "logs", listed[1]["id"])
    assert "the pupil is tired" in logs.out
    one = world("runs", "logs", "--step", "echo", "--json").json
    assert {event["step"] for event in one["events"]} == {"echo"}
    assert "Did you mean `echo`?" in world("runs", "logs", "--step", "ekho").err
    assert world("runs", "show", "1999").status == 2


def test_the_report_can_be_found_and_opened(world, monkeypatch):
    assert "report:" not in world(*TAUGHT).out, "no plugin here writes one"
    absent = world("runs", "show", "--report")
    assert "TS-CLI-012" in absent.err
    assert "pip install tunesmith" in absent.err
    path = world.folder / ".tunesmith" / "runs" / world("runs", "list", "--json").json[0]["id"] / "report.html"
    path.write_text("a page that a plugin wrote")
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert world("runs", "show", "--report").out.strip() == str(path)
    assert world("runs", "show", "--open").status == 0
    assert opened == [f"file://{path}"]


def test_doctor_tells_of_the_machine(world):
    told = world("doctor")
    assert told.status == 0, told.out
    assert "abacus  ten beads  8.0 GiB free of 16.0 GiB  10 cores  float32" in told.out
    assert "plugins: 3 active" in told.out
    assert told.out.endswith("no problems\n")
    found = world("doctor", "--json").json
    assert found["devices"]["abacus"][0]["cores"] == 10
    assert found["problems"] == []


def test_doctor_tells_of_a_plugin_that_is_required_and_not_there(world):
    world.write("tunesmith.toml", '[plugins]\nrequire = ["acme-desk==1.*", "acme-gate"]\n')
    assert world("doctor", "--json").json["problems"] == ["TS-PLUGIN-022: acme-gate is required, and not installed"]


def test_doctor_tells_of_a_device_that_cannot_be_asked(world, monkeypatch):
    monkeypatch.setenv("ACME_ABACUS", "broken")  # the plugin may be asked in a process of its own
    told = world("doctor")
    assert told.status == 1
    assert "problem: no device backend found a device" in told.out
    assert "ZeroDivisionError" in told.out


@pytest.mark.parametrize("words", [("runs", "list"), ("doctor",), ("data", "inspect", "rows.jsonl"), ("plugin", "list")])
def test_everything_has_json(world, words):
    assert json.loads(world(*words, "--json").out) is not None
