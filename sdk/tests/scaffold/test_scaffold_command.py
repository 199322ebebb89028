"""`tunesmith plugin new` and `update` as commands; what the SDK makes is tested there."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tunesmith_cli import main as cli
from tunesmith_sdk.templates import kinds


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))


def test_a_plugin_is_made_where_it_says_and_the_next_commands_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plugin", "new", "dataset-format", "ledger", "--summary", "rows of a ledger"]) == 0
    told = capsys.readouterr().out
    assert "cd tunesmith-ledger" in told
    assert "tunesmith plugin check ." in told
    assert 'summary = "rows of a ledger"' in (tmp_path / "tunesmith-ledger/src/tunesmith_ledger/plugin.toml").read_text()
    assert cli.main(["plugin", "sync", "--check", "tunesmith-ledger"]) == 0


def test_json_names_the_files(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plugin", "new", "verb", "stamp", "--to", "there", "--distribution", "acme-stamp", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folder"], told["distribution"]) == ("there", "acme-stamp")
    assert "src/acme_stamp/plugin.toml" in told["files"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_in_a_terminal_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    number = str([*kinds()].index("optimizer") + 1)
    monkeypatch.setattr(sys, "stdin", Terminal(f"optimiser\n{number}\ndice\nacme-dice\n\n"))
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    assert cli.main(["plugin", "new"]) == 0
    assert "Did you mean `optimizer`?" in screen.getvalue()
    assert (tmp_path / "acme-dice/src/acme_dice/optimizer.py").is_file()


def test_without_a_terminal_it_says_what_it_needs(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plugin", "new"]) == 2
    told = capsys.readouterr().err
    assert "TS-CLI-002" in told
    assert "adapter" in told


@pytest.mark.parametrize("module", ["copier", "tunesmith_sdk.scaffold"])
def test_without_the_sdk_it_says_how_to_get_it(module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    for name in [name for name in sys.modules if name.startswith("tunesmith_sdk.scaffold")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.main(["plugin", "new", "verb", "stamp"]) == 2
    told = capsys.readouterr().err
    assert "TS-PLUGIN-040" in told
    assert "pip install 'tunesmith-sdk[scaffold]'" in told


def test_help_teaches_by_examples(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plugin", "new", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(kind in told for kind in kinds())
    assert "tunesmith plugin new adapter tilt" in told


def test_an_update_of_something_else_is_refused(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["plugin", "update"]) == 2
    assert "TS-PLUGIN-043" in capsys.readouterr().err
