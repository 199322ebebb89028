"""Finished sentences are translated by the template that they were made of; lines are as wide as what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith_cli.translation import language as languages
from tunesmith_cli.translation.catalogs import gettext, translated
from tunesmith_cli.translation.east_asian import text_width, wrap
from tunesmith_cli.translation.templates import Template, Templates

CATALOG = {
    "there is no command `{typed}`": "没有命令 `{typed}`",
    "there is no command `{typed}` in {group}": "{group} 中没有命令 `{typed}`",
    "{count} steps": "{count} 步",
    "about {time}": "约 {time}",
    "done": "完成",
    "{a}: {b}": "{b}:{a}",
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("there is no command `x`", "没有命令 `x`"),
        ("there is no command `x` in runs", "runs 中没有命令 `x`"),
        ("  done\n", "  完成\n"),
        ("about 3 steps", "约 3 步"),
        ("done\nabout {braces}", "完成\n约 {braces}"),
        ("x: y", "x: y"),
        ("score:tune:nll: there is no command `x`", "score:tune:nll: 没有命令 `x`"),
        ("nobody translated this", "nobody translated this"),
        ("", ""),
    ],
)
def test_a_sentence_finds_its_template(text, wanted):
    assert Templates(CATALOG).translated(text) == wanted


words = st.text(st.characters(codec="utf-8", exclude_characters="`"), max_size=8)


@given(st.lists(words, min_size=2, max_size=2))
def test_what_a_template_made_it_matches(values):
    template = Template.of("there is `{a}` in {b} there")
    assert template.match("there is `{}` in {} there".format(*values)) is not None


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"TUNESMITH_LANG": "zh", "LC_ALL": "de_DE.UTF-8"}, "zh"),
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LC_MESSAGES": "zh-TW", "LANG": "C"}, "zh_TW"),
        ({"LANG": "de_DE@euro"}, "de_DE"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_first_that_is_set(variables, wanted, monkeypatch):
    for name in ("TUNESMITH_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, variables.get(name, ""))
    assert languages.locale_name() == wanted


def test_english_needs_no_catalogue(monkeypatch):
    monkeypatch.setenv("TUNESMITH_LANG", "en")
    assert translated("done") == "done"
    assert gettext("{count} rows", count=3) == "3 rows"


@given(st.text(st.sampled_from("ab 字，。(（`"), max_size=60), st.integers(8, 30))
def test_wrapped_lines_hold_all_and_are_as_wide_as_told(text, width):
    lines = wrap(text, width, "- ", "  ")
    assert "".join("".join(lines).split()) == "".join(f"- {text}".split())
    longest = max((text_width(word) for word in text.split()), default=0)
    assert all(text_width(line) <= max(width, longest + 2) for line in lines)


def test_a_chinese_line_breaks_between_characters_and_not_before_a_full_stop():
    assert wrap("这是一句很长的话。", 10) == ["这是一句很", "长的话。"]
    assert wrap("这是一句话。", 10) == ["这是一句", "话。"]


def test_what_is_to_be_typed_is_not_translated():
    known = Templates({"Write `data: {data}` in the file.": "请写 `data: {data}`。", "question": "问题"})
    assert known.translated("Write `data: {columns: question}` in the file.") == "请写 `data: {columns: question}`。"
    assert known.translated("Write `data: question` in the file.") == "请写 `data: question`。"
    assert known.translated("question") == "问题"
