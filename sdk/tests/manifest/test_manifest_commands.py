"""`tunesmith plugin sync`, and what `plugin check` says of a source folder alone."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from tunesmith.errors import Problems, TunesmithError
from tunesmith_cli.main import main
from tunesmith_sdk.commands.sync import SYNC
from tunesmith_sdk.manifest.check import check

CARD = Path(__file__).parents[3] / "contrib" / "model-card"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    SYNC.configure(parser)
    return SYNC.run(parser.parse_args(words))


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "card"
    shutil.copytree(CARD, folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_sync_writes_and_check_fails_on_drift_with_a_difference(card: Path, capsys: pytest.CaptureFixture):
    assert run("--check") == 0
    plugin = card / "src" / "tunesmith_model_card" / "plugin.py"
    plugin.write_text(plugin.read_text().replace("a page that", "the page that"))
    assert run("--check", str(card)) == 1
    out, err = capsys.readouterr()
    assert '+summary = "the page that' in out
    assert "TS-PLUGIN-005" in err
    assert run() == 0
    assert capsys.readouterr().out.startswith("written ")
    assert run("--check", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["changed"] is False


def test_sync_goes_on_after_a_plugin_that_is_wrong_and_then_tells_of_all(card: Path, tmp_path: Path):
    shutil.copytree(card, tmp_path / "a")
    shutil.copytree(card, tmp_path / "b")
    for name in "ab":
        (tmp_path / name / "src" / "tunesmith_model_card" / "plugin.py").write_text("def exporter(): ...")
    (card / "src" / "tunesmith_model_card" / "plugin.toml").unlink()
    with pytest.raises(Problems) as error:
        run()
    assert len(error.value.problems) == 2
    assert (card / "src" / "tunesmith_model_card" / "plugin.toml").exists()


def test_sync_where_no_plugin_is_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TunesmithError, match="TS-PLUGIN-007"):
        run()


def test_the_kernel_finds_an_authors_commands_where_the_sdk_is(capsys: pytest.CaptureFixture):
    assert main(["plugin", "--help"]) == 0
    assert "write plugin.toml from a plugin's code" in capsys.readouterr().out
    assert main(["plugin", "sync", "--help"]) == 0
    assert "tunesmith plugin sync --check" in capsys.readouterr().out


def checked(folder: Path) -> dict[str, dict]:
    return {finding.check: finding._asdict() for finding in check(folder)}


def test_check_passes_a_good_plugin(card: Path):
    found = checked(card)
    assert {name: finding["ok"] for name, finding in found.items()} == dict.fromkeys(
        (
            "source.describes-itself",
            "manifest.equals-code",
            "imports.light",
            "settings.defaults-fit",
            "targets.exist",
            "wheel.has-manifest",
        ),
        True,
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "check", "said"),
    [
        ("plugin.py", "a page", "the page", "manifest.equals-code", "does not say what the code says"),
        ("plugin.py", "exporter:ModelCard", "exporter:ModelCart", "targets.exist", "defines no ModelCart"),
        ("plugin.py", "exporter:ModelCard", "exported:ModelCard", "targets.exist", "there is no"),
        ("plugin.py", "from tunesmith.contracts", "import hypothesis\nfrom tunesmith.contracts", "imports.light", "hypothesis"),
        ("settings.py", 'setting("Model card", ', "setting(3, ", "settings.defaults-fit", "`title` should be a string, got 3"),
        (
            "settings.py",
            '("Apache-2.0",)',
            "(2,)",
            "settings.defaults-fit",
            "an example of model-card's setting `licence` should be a string",
        ),
        (
            "../../pyproject.toml",
            "[tool.hatch.",
            '[tool.hatch.build]\nexclude = ["*.toml"]\n[tool.hatch.',
            "wheel.has-manifest",
            "the wheel lacks",
        ),
        ("../../pyproject.toml", "hatchling.build", "no_such_backend", "wheel.has-manifest", "is not installed"),
        ("plugin.py", "def exporter", "def exportr", "source.describes-itself", "Did you mean `exporter`?"),
    ],
)
def test_check_finds_what_is_wrong(file: str, old: str, new: str, check: str, said: str, card: Path):
    path = card / "src" / "tunesmith_model_card" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    found = checked(card)
    assert said in found[check]["what"] + found[check]["fix"]
    assert found[check]["ok"] is (None if "not installed" in said else False)


@pytest.mark.parametrize(
    "line", ["tunesmith-file", "tunesmith-file~=0.1.0", "tunesmith_file >=0.1,<0.2; python_version > '3'", "tunesmith-file[x]"]
)
def test_check_lets_a_plugin_import_what_it_requires_of_tunesmiths_own_however_that_is_written(line: str, card: Path):
    path = card / "src" / "tunesmith_model_card" / "plugin.py"
    path.write_text(path.read_text().replace("from tunesmith.contracts", "import tunesmith_file\nfrom tunesmith.contracts", 1))
    assert not checked(card)["imports.light"]["ok"]
    project = card / "pyproject.toml"
    project.write_text(project.read_text().replace("dependencies = [", f'dependencies = ["{line}", ', 1))
    assert checked(card)["imports.light"]["ok"]
