"""A project in an environment with `tunesmith-data` and the made-up `acme-desk`; commands run in this process, steps in real workers."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

import tunesmith_data
from tunesmith import hookspecs
from tunesmith.plugins import entry_points as scan
from tunesmith.plugins.records import Plugin
from tunesmith_data import plugin as data
from tunesmith_sdk.manifest.records import record_of
from tunesmith_sdk.manifest.text import manifest_of
from tunesmith_sdk.testing.command_runner import World

DESK = Path(__file__).parent / "desk" / "acme_desk"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site-packages folder with the plugin installed in it."""
    site = tmp_path_factory.mktemp("site")
    shutil.copytree(DESK, site / "acme_desk", ignore=shutil.ignore_patterns("__pycache__"))
    (site / "tunesmith_data").symlink_to(Path(tunesmith_data.__file__).parent)
    for name, version, module in (("acme-desk", "1.0", "acme_desk"), ("tunesmith-data", "0.1.0", "tunesmith_data")):
        information = site / f"{name.replace('-', '_')}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (information / "entry_points.txt").write_text(f"[tunesmith.plugins]\n{name} = {module}.plugin\n")
    sys.path.insert(0, str(site))
    module = importlib.import_module("acme_desk.plugin")
    manager = hookspecs.plugin_manager(desk=module)
    records = []
    own = {kind.name: kind for kinds in manager.hook.kind() for kind in kinds}
    brought = {**{kind.name: kind for kind in data.kind()}, **own}
    hookspecs.add_kinds(manager, brought)
    for kind in (*hookspecs.REGISTRATION, *brought):
        for answer in getattr(manager.hook, kind)():
            for provider in answer if isinstance(answer, (list, tuple)) else [answer]:
                records.append(
                    record_of(
                        kind, provider, "acme-desk", "1.0", brought=brought.get(kind), bringer="" if kind in own else "tunesmith-data"
                    )
                )
    plugin = Plugin("acme-desk", "1.0", "acme_desk.plugin", tuple(records), tuple(own.values()), commands=tuple(module.cli_commands()),
                    error_pages={"DESK-": "https://acme.example/desk/{code}"})  # fmt: skip
    (site / "acme_desk" / "plugin.toml").write_text(manifest_of(plugin))
    sys.path.remove(str(site))  # each test has it there as long as it runs
    return site


@pytest.fixture
def world(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> World:
    monkeypatch.setattr(scan, "search_path", lambda: [str(site)])
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")])))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("TUNESMITH_HOME", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".tunesmith").mkdir()
    monkeypatch.chdir(folder)
    made = World(folder, site, capsys)
    made.write("rows.jsonl", '{"q": "who?", "a": "me"}\n{"q": "where?", "a": "here"}\n')
    return made
