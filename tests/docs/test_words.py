"""docs/words.md: what it says is not written is found. That nothing of it is written, `make lint` shows, by the same tool."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("words", Path(__file__).parents[2] / "tools" / "words.py")
assert _spec is not None
words = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(words)  # type: ignore[union-attr]
PAGE = words.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("section", ["In texts", "Names of settings", "Names of files", "Names in code", "Python's words in help"])
def test_each_table_is_read(section):
    assert words.rules(PAGE, section)


@pytest.mark.parametrize(
    "text",
    [
        "the Number type of weights",
        "kept in few bits",
        "runs in an environment of its own",
        "10 labelled tokens",
        "a turn is learnt",
        "mend it",
    ],
)
def test_a_text_with_such_a_word_is_found_with_what_to_write(text):
    (told,) = words.found(text, words.rules(PAGE, "In texts"))
    assert "; write " in told


def test_a_word_that_only_holds_one_is_none():
    assert not list(words.found("overlongest, not-overlong", words.rules(PAGE, "In texts")))


def test_a_module_named_by_a_metaphor_is_found():
    (told,) = words.names(["plugins/a/b/src/c/free_room.py"], words.rules(PAGE, "Names of files"))
    assert told.endswith("write disk_space")


def test_a_deadline_by_the_name_of_all_is_found():
    tree = ast.parse("GRACE = 2.5\n\n\ndef stop(grace, shutdown_grace):\n    pass\n")
    told = list(words.code(tree, "stop.py", words.rules(PAGE, "Names in code")))
    assert [one.partition("write ")[2] for one in told] == ["CANCEL_TIMEOUT", "term_timeout"]


def test_a_setting_with_a_name_of_our_own_and_pythons_words_in_its_help_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(words, "ROOT", tmp_path)
    (tmp_path / "plugin.toml").write_text(
        '[[providers]]\nkind = "adapter"\nname = "tilt"\n[providers.schema.properties.targets]\ndescription = "None means all"\n'
    )
    told = list(words.settings("plugin.toml", words.rules(PAGE, "Names of settings"), words.rules(PAGE, "Python's words in help")))
    assert [one.partition("write ")[2] for one in told] == ["target_modules", "null"]


def test_what_a_module_says_is_read_without_its_docstrings():
    tree = ast.parse('"""of a module"""\n\n\ndef stop():\n    """of a function"""\n    return "said to somebody"\n')
    assert list(words.texts(tree)) == [(6, "said to somebody")]
