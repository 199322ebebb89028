"""What others wrote reaches a terminal as text, not as commands to it."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import UserError
from tunesmith_cli.display.json_lines import JsonLines
from tunesmith_cli.display.plain_lines import Plain
from tunesmith_cli.display.terminal import Terminal
from tunesmith_cli.display.token_page import token_page as page
from tunesmith_cli.errors import complain, error_text
from tunesmith_cli.text_tables import aligned, columns
from tunesmith_cli.untrusted_text import safe, safe_json

ODD = "a\x1b]0;b\x07\x00\r\x9b\u202ec\ud800"
WRITTEN = r"a\x1b]0;b\x07\x00\r\x9b\u202ec\ud800"


@given(st.text(st.characters()))
def test_no_control_but_tab_and_newline_is_left_and_nothing_else_changes(text):
    assert all(unicodedata.category(letter) != "Cc" or letter in "\n\t" for letter in safe(text))
    assert not any(
        unicodedata.bidirectional(letter) in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"} for letter in safe(text)
    )
    safe(text).encode("utf-8")
    assert safe(safe(text)) == safe(text)


def test_letters_of_every_language_stay():
    assert (
        safe("naïve 日本 \u0639\u0631\u0628\u064a \U0001f468\u200d\U0001f469\t\n")
        == "naïve 日本 \u0639\u0631\u0628\u064a \U0001f468\u200d\U0001f469\t\n"
    )


@given(st.recursive(st.text(st.characters()), lambda inner: st.dictionaries(st.text(st.characters()), inner)))
def test_json_is_safe_as_it_stands_and_reads_as_what_it_was(value):
    text = safe_json(value, 1)
    assert json.loads(text) == value
    assert safe(text) == text


def test_events_and_errors_as_json_are_safe_too(capsys):
    lines = io.StringIO()
    JsonLines(lines).log("step", "info", ODD)
    complain(UserError("X-1", ODD), True)
    for shown in (lines.getvalue(), capsys.readouterr().out):
        assert not {"\x07", "\x00", "\r", "\x9b", "\u202e", "\ud800"} & set(shown)
        assert ODD in (json.loads(shown).get("message"), json.loads(shown).get("error", {}).get("what"))


@pytest.mark.parametrize("colours", [False, True])
def test_tokens_of_a_preview_are_written_out(colours: bool):
    sequence = {
        "name": ODD,
        "tokens": [1],
        "texts": [ODD],
        "labels": [True],
        "turns": [{"role": ODD, "start": 0, "stop": 1}],
        "doubts": [ODD],
    }
    broken = {"row": 2, "sequences": [], "error": {"code": "X-1", "what": ODD, "fix": ODD}}
    shown = page([{"row": 1, "sequences": [sequence]}, broken], {"rows": 1, "broken": 0, "lengths": [1], "max_length": 9}, colours=colours)
    assert shown.count(WRITTEN) == 6
    assert not {"\x07", "\x00", "\r", "\x9b", "\u202e", "\ud800"} & set(shown)


def test_errors_tables_and_lines_of_a_run_are_written_out():
    lines, bars = io.StringIO(), io.StringIO()
    Plain(lines).say(ODD)
    Terminal(bars).say(ODD)
    for shown in (error_text(UserError("X-1", ODD)), columns([[ODD]]), aligned([[ODD, ODD]]), lines.getvalue(), bars.getvalue()):
        assert WRITTEN in shown
        assert not {"\x07", "\x00", "\r", "\x9b", "\u202e", "\ud800"} & set(shown)


def test_the_sample_of_an_inspection_is_written_out(world):
    world.write("odd.jsonl", '{"q": "who\u202e\x9b?", "a": "me"}\n')
    told = world("data", "inspect", "odd.jsonl").out
    assert r"who\u202e\x9b?" in told
    shown = world("data", "inspect", "odd.jsonl", "--json")
    assert shown.json["sample"][0][1]["q"] == "who\u202e\x9b?"
    assert not {"\u202e", "\x9b"} & set(shown.out)


def test_what_a_steps_process_printed_is_written_out(world):
    world("echo", "--model", "shelf://hello", "--data", "rows.jsonl")
    run = world("runs", "list", "--json").json[0]["id"]
    for log in (world.folder / ".tunesmith" / "runs" / run).glob("logs/*-echo*/*"):
        log.write_text("\x1b]0;b\x07 said")
    told = world("runs", "logs", "--step", "echo").out
    assert r"\x1b]0;b\x07 said" in told
    assert "\x1b" not in told
