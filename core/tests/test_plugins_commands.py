from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import packaging.requirements  # noqa: F401  some tests take site-packages off the path
import pytest

from tunesmith.errors import TunesmithError
from tunesmith_cli.commands.plugin import COMMANDS
from tunesmith_cli.import_probe import probe
from tunesmith_cli.text_tables import aligned
from tunesmith_sdk.distributions.written_plugins import write_plugin

TILT = {"kind": "adapter", "name": "tilt", "schema": {"type": "object", "properties": {"angle": {"type": "number", "default": 0.5}}}}


def run(*words: str) -> int:
    command = next(command for command in COMMANDS if command.name == words[0])
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(words[1:]))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plugins in every state, beside the kernel and nothing else."""
    folder = tmp_path / "site"
    write_plugin(folder, "acme-good", providers=[TILT], code="x = 1\n", runtime=["not-here>=2"])
    write_plugin(folder, "acme-mute", manifest="", code="x = 1\n")
    write_plugin(folder, "acme-bad", providers=[{"kind": "adapter", "name": "bad"}], code="import not_here\n")
    write_plugin(folder, "acme-dead", providers=[{"kind": "adapter", "name": "dead"}], code="import os; os._exit(7)\n")
    write_plugin(folder, "acme-denied", providers=[TILT])
    (tmp_path / "tunesmith.toml").write_text('[plugins]\ndeny = ["acme-denied"]\n')
    library = os.path.dirname(os.__file__)
    monkeypatch.setattr(sys, "path", [str(folder), *(p for p in sys.path if p.startswith(library) and "site-" not in p)])
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_list_shows_every_plugin_its_state_and_why(site: Path, capsys: pytest.CaptureFixture):
    assert run("list") == 0
    out, err = capsys.readouterr()
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert lines["acme-good"] == ["1.0", "active", "isolated", "adapter:", "tilt"]
    assert lines["acme-mute"] == ["1.0", "broken"]
    assert lines["acme-denied"] == ["1.0", "denied"]
    assert "acme-denied is denied: denied by `acme-denied` in" in err


def test_list_says_what_a_record_names_and_is_not_there(site: Path, capsys: pytest.CaptureFixture):
    (site / "acme_good" / "provider.py").unlink()
    assert run("list") == 0
    assert "acme-good: the adapter `tilt` names acme_good.provider:Provider: there is no " in capsys.readouterr().err


def test_list_as_json_and_by_kind(site: Path, capsys: pytest.CaptureFixture):
    assert run("list", "--json", "--kind", "adapter") == 0
    plugins = {plugin["distribution"]: plugin for plugin in json.loads(capsys.readouterr().out)}
    assert sorted(plugins) == ["acme-bad", "acme-dead", "acme-good"]
    assert plugins["acme-good"]["missing"] == {"": ["not-here>=2"]}
    assert plugins["acme-good"]["providers"] == [{"kind": "adapter", "name": "tilt", "summary": "the adapter tilt"}]


@pytest.mark.parametrize("name", ["acme-good", "Acme_Good", "tilt", "adapter.tilt"])
def test_info_takes_a_distribution_or_a_provider(name: str, site: Path, capsys: pytest.CaptureFixture):
    assert run("info", name) == 0
    out = capsys.readouterr().out
    assert "acme-good 1.0" in out
    assert "--angle" in out
    assert "(number, default 0.5)" in out


def test_info_of_something_unknown_offers_the_nearest(site: Path):
    with pytest.raises(TunesmithError, match="TS-PLUGIN-001") as error:
        run("info", "acme-god")
    assert "`acme-good`" in error.value.fix


def test_doctor_tells_all_that_is_wrong_and_which_modules_cannot_be_imported(site: Path, capsys: pytest.CaptureFixture):
    assert run("doctor", "--json") == 1
    found = {entry["subject"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert "ModuleNotFoundError: No module named 'not_here'" in found["acme-bad"]["what"]
    assert "ends the process with status 7" in found["acme-dead"]["what"]
    assert found["acme-mute"]["serious"]
    assert not found["acme-denied"]["serious"]
    assert "tunesmith-core" not in found


def test_a_configuration_with_mistakes_does_not_stop_anybody_from_looking(site: Path, capsys: pytest.CaptureFixture):
    Path("tunesmith.toml").write_text("[plugins]\ndney = []\n")
    assert run("list") == 0
    out, err = capsys.readouterr()
    assert all("denied" in line for line in out.splitlines() if line.startswith("acme"))
    assert "Did you mean `deny`?" in err
    assert run("doctor") == 1


def test_probing_goes_on_after_a_module_that_takes_the_process_down_or_hangs(tmp_path: Path):
    codes = {"one": "print('noise')", "two": "import os; os._exit(3)", "three": "import sqlite3", "four": "import time; time.sleep(60)"}
    for name, code in codes.items():
        (tmp_path / f"probed_{name}.py").write_text(code)
    answers = list(probe([f"probed_{name}" for name in codes], tmp_path, timeout=3))
    assert [answer["error"] for answer in answers] == ["", "it ends the process with status 3", "", "it does not come to an end in 3 s"]
    assert "sqlite3" in answers[2]["loaded"]


def test_what_is_probed_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ACME_TOKEN", "hush")
    (tmp_path / "probed_nosy.py").write_text("import os\nassert 'ACME_TOKEN' not in os.environ and 'PATH' in os.environ")
    assert [answer["error"] for answer in probe(["probed_nosy"], tmp_path)] == [""]


def test_columns_are_aligned_and_lines_of_the_last_one_hang_below_it():
    assert aligned([("a", "bb", "x\ny"), ("ccc", "d", "z")]) == "a    bb  x\n         y\nccc  d   z"
    assert aligned([]) == ""
