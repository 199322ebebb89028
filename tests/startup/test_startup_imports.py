"""A start costs what its imports cost, so imports are what is tested; benchmarks/startup.py measures the seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tunesmith_sdk.distributions.written_plugins import age, link_plugin, write_environment, write_many

PLUGINS = 100
#: modules of the standard library that a start has no business with, each dearer than a millisecond
DEAR = {
    "asyncio", "concurrent", "email", "hashlib", "http", "importlib.metadata", "logging", "multiprocessing", "pickle", "random",
    "selectors", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "tomllib", "unittest", "urllib.request", "uuid", "xml",
}  # fmt: skip

WATCHED = """
import json, os, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
before = set(sys.modules)
from tunesmith_cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as exit:
    status = exit.code
with open(os.environ["WATCHED"], "w") as file:
    json.dump({"status": status, "modules": sorted(set(sys.modules) - before), "opened": opened}, file)
"""


class Start(NamedTuple):
    output: str
    modules: set[str]
    opened: list[str]


class Environment:
    """A clean environment with the kernel and synthetic plugins that raise when they are imported."""

    def __init__(self, folder: Path, count: int) -> None:
        self.python, self.site = write_environment(folder / "env")
        write_many(self.site, count)
        age(self.site)
        self.folder = folder

    def start(self, *words: str, cache: str = "cache") -> Start:
        told = self.folder / "told.json"
        variables = {"TUNESMITH_CACHE": str(self.folder / cache), "XDG_CONFIG_HOME": str(self.folder), "WATCHED": str(told)}
        command = [str(self.python), "-c", WATCHED, *words]
        done = subprocess.run(
            command, env=os.environ | variables | {"PYTHONPATH": ""}, cwd=self.folder, capture_output=True, text=True, check=False
        )
        facts = json.loads(told.read_text())
        assert facts["status"] in (0, None), done.stderr
        return Start(done.stdout, set(facts["modules"]), facts["opened"])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("full"), PLUGINS)
    environment.start("plugin", "list")
    return environment


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("empty"), 0)
    environment.start("plugin", "list")
    return environment


@pytest.fixture(scope="module")
def with_builder(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A clean environment with the builder of environments, too."""
    environment = Environment(tmp_path_factory.mktemp("builder"), 0)
    link_plugin(environment.site, "tunesmith-environments")
    age(environment.site)
    environment.start("plugin", "list")
    return environment


STARTS = [("--help",), ("plugin", "list"), ("plugin", "list", "--json")]
MORE = [("--version",), ("plugin", "--help"), ("plugin", "info", "made-007"), ("export", "--help"), ("runs", "--help")]


@pytest.mark.parametrize("words", STARTS + MORE, ids=" ".join)
def test_a_start_imports_nothing_heavy_and_no_plugin(words: tuple[str, ...], full: Environment):
    modules = full.start(*words).modules
    tops = {name.partition(".")[0] for name in modules}
    assert tops <= {*sys.stdlib_module_names, "tunesmith", "tunesmith_cli"}, "only the standard library, the kernel and the command line"
    assert not {name for name in modules if name in DEAR or name.partition(".")[0] in DEAR}


@pytest.mark.parametrize("words", [("--help",), ("plugin", "list"), ("env", "--help"), ("env", "list"), ("env", "gc")], ids=" ".join)
def test_the_builder_of_environments_is_imported_for_its_own_commands_alone(words: tuple[str, ...], with_builder: Environment):
    modules = with_builder.start(*words).modules
    tops = {name.partition(".")[0] for name in modules}
    assert tops <= {*sys.stdlib_module_names, "tunesmith", "tunesmith_cli", "tunesmith_environments"}
    assert ("tunesmith_environments" in tops) == (words[0] == "env")
    if words[-1] != "gc":
        assert not {name for name in modules if name in DEAR or name.partition(".")[0] in DEAR}


@pytest.mark.parametrize("words", STARTS, ids=" ".join)
def test_once_cached_discovery_reads_no_more_files_however_many_plugins_there_are(
    words: tuple[str, ...], full: Environment, empty: Environment
):
    for environment in (full, empty):
        opened = [Path(path) for path in environment.start(*words).opened if path.startswith(str(environment.folder))]
        assert [path.parent.name for path in opened] == ["plugins", environment.folder.name], "the cache, and what this test writes"


def test_the_first_start_after_an_install_finds_every_plugin_without_importing_any(full: Environment):
    first = full.start("plugin", "list", "--json", cache="another")
    listed = {plugin["distribution"]: plugin for plugin in json.loads(first.output)}
    assert len(listed) == PLUGINS + 1
    assert (listed["synthetic-042"]["state"], listed["synthetic-042"]["runs"]) == ("active", "isolated")
    assert listed["synthetic-042"]["missing"] == {"": ["heavy-42>=1"]}
    assert not [name for name in first.modules if name.startswith("synthetic")]
    assert json.loads(full.start("plugin", "list", "--json", cache="another").output) == list(listed.values())


def test_the_version_is_told_without_looking_for_plugins(full: Environment):
    assert not [name for name in full.start("--version").modules if name.startswith(("tunesmith.plugins", "json", "dataclasses"))]
