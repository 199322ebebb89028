"""A command that takes seconds says what it does in a terminal, and nothing of it stands in what is piped."""

from __future__ import annotations

import io
import sys

import pytest

from tunesmith_recommend.commands.stages import stages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with stages() as tell:
        tell("reading the rows")
        tell("looking at this machine")
    return stream.getvalue()


def test_in_a_terminal_each_stage_is_written_over_the_one_before_and_the_line_is_empty_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    said = told(monkeypatch, Terminal())
    assert said == "\r\x1b[Kreading the rows ...\r\x1b[Klooking at this machine ...\r\x1b[K"
    monkeypatch.setenv("TERM", "dumb")
    assert told(monkeypatch, Terminal()) == "reading the rows ...\nlooking at this machine ...\n"


def test_a_pipe_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, io.StringIO()) == ""
