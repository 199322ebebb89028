"""`tunesmith` without a command: what a plugin brings for that begins in a terminal, elsewhere there is the overview."""

from __future__ import annotations

import sys

import pytest

from tunesmith_cli import main as command


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch):
    def of(stdin: bool, stdout: bool) -> None:
        monkeypatch.setattr(sys.stdin, "isatty", lambda: stdin, raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: stdout, raising=False)

    return of


@pytest.fixture
def brought(world, monkeypatch: pytest.MonkeyPatch):
    """A catalogue in which somebody brings a command for it; what it was called with."""
    catalog, called = command.load_catalog(), []
    catalog.__dict__["commands"] = {**catalog.commands, "tunesmith": ("asks", "acme_desk.commands:none", "acme-desk")}
    monkeypatch.setattr(catalog, "call", lambda name, arguments: called.append((name, list(arguments))) or 7)
    monkeypatch.setattr(command, "load_catalog", lambda: catalog)
    return called


def test_it_begins_in_a_terminal_without_arguments(world, brought, terminal):
    terminal(True, True)
    assert (world().status, brought) == (7, [("tunesmith", [])])
    assert (world("--home", "elsewhere").status, len(brought)) == (7, 2)


@pytest.mark.parametrize(("stdin", "stdout"), [(True, False), (False, True), (False, False)])
def test_elsewhere_there_is_the_overview(world, brought, terminal, stdin, stdout):
    terminal(stdin, stdout)
    assert world().out.startswith("usage: tunesmith COMMAND")
    assert not brought


def test_help_is_help_in_a_terminal_too_and_lists_no_such_command(world, brought, terminal):
    terminal(True, True)
    assert "  tunesmith  " not in world("--help").out
    assert not brought


def test_without_one_a_terminal_has_the_overview(world, terminal):
    terminal(True, True)
    assert world().out.startswith("usage: tunesmith COMMAND")
