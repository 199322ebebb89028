"""L2: a plugin is static first. Whatever is wrong with one, it is listed with the reason, the command line works, nothing is imported."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tunesmith_sdk.distributions.written_plugins import age, write_distribution, write_environment, write_plugin

TILT = {"kind": "adapter", "name": "tilt"}
PIPELINE = "name: x\nmodel: file://m\nsteps:\n  out: {export: %s, from: model}\n"
EXITS = "import sys; sys.exit(3)\n"
STATES = {
    "acme-good": ("active", ""),
    "acme-garbled": ("broken", "is not valid TOML"),
    "acme-binary": ("broken", "is not valid TOML"),
    "acme-empty": ("broken", "no plugin manifest"),
    "acme-mute": ("broken", "it has no manifest"),
    "acme-nowhere": ("broken", "can't be found"),
    "acme-denied": ("denied", "denied by `acme-denied`"),
    "acme-newer": ("incompatible", "this kernel up to"),
    "acme-strange": ("incompatible", "nothing that is installed brings that kind"),
    "acme-layout": ("broken", "has layout 99"),
    "acme-one": ("duplicate", "Name the winner in tunesmith.toml, below [plugins.override]"),
    "acme-two": ("duplicate", "Name the winner in tunesmith.toml, below [plugins.override]"),
    "acme-heavy": ("active", ""),
    "acme-exits": ("active", ""),
}


class Project:
    """A project in an environment with one plugin of every misfortune. The modules of all raise when they are imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.python, self.site = write_environment(folder / "env")
        site = self.site
        write_plugin(site, "acme-good", providers=[TILT])
        write_plugin(site, "acme-garbled", manifest="a = [\n")
        write_plugin(site, "acme-binary").write_bytes(b"\x00\xff\xfe" * 100)
        write_plugin(site, "acme-empty", manifest="# nothing\n")
        write_plugin(site, "acme-mute", manifest="")
        write_distribution(site, "acme-nowhere", points="x = not.there:at_all")
        write_plugin(site, "acme-denied", providers=[{"kind": "exporter", "name": "denied"}])
        write_plugin(site, "acme-newer", providers=[{"kind": "exporter", "name": "newer", "api": 99}])
        write_plugin(site, "acme-strange", providers=[{"kind": "poet", "name": "strange"}])
        write_plugin(site, "acme-layout", manifest='manifest = 99\ndistribution = "acme-layout"\nmodule = "acme_layout.plugin"\n')
        for name in ("acme-one", "acme-two"):
            write_plugin(site, name, providers=[{"kind": "exporter", "name": "twice"}, {"kind": "exporter", "name": name}])
        write_plugin(site, "acme-heavy", providers=[{"kind": "exporter", "name": "heavy"}], runtime=["not-here>=2"])
        write_plugin(site, "acme-exits", providers=[{"kind": "exporter", "name": "exits"}], code=EXITS)
        (write_distribution(site, "acme-metadata", points="x = y") / "METADATA").write_bytes(b"\xff\x00")
        (self.folder / "tunesmith.toml").write_text('[plugins]\ndeny = ["acme-denied"]\n')
        age(site)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        variables = {"TUNESMITH_CACHE": str(self.folder / "cache"), "XDG_CONFIG_HOME": str(self.folder), "PYTHONPATH": ""}
        command = [str(self.python), "-m", "tunesmith_cli", *words]
        done = subprocess.run(command, cwd=self.folder, env=os.environ | variables, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        assert "was imported" not in done.stderr
        return done


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("l2"))


def test_every_plugin_is_listed_in_its_state_with_the_reason(project: Project):
    listed = {plugin["distribution"]: plugin for plugin in json.loads(project.run("plugin", "list", "--json").stdout)}
    assert {name: listed[name]["state"] for name in STATES} == {name: state for name, (state, _) in STATES.items()}
    for name, (_, reason) in STATES.items():
        assert reason in f"{listed[name]['reason']}. {listed[name]['fix']}"


@pytest.mark.parametrize(
    "words", ["--help", "--version", "plugin list", "plugin info acme-good", "export --help", "runs list", "plugin doctor --help"]
)
def test_the_command_line_works_beside_broken_plugins(words: str, project: Project):
    assert project.run(*words.split()).returncode == 0


@pytest.mark.parametrize("name", [name for name, (state, _) in STATES.items() if state in ("broken", "denied", "incompatible")])
def test_a_plugin_that_is_not_active_can_be_looked_at(name: str, project: Project):
    done = project.run("plugin", "info", name)
    assert done.returncode == 0
    assert STATES[name][1] in done.stdout


@pytest.mark.parametrize(
    ("exporter", "code", "said"),
    [
        ("newer", "TS-PLUGIN-002", "acme-newer is incompatible"),
        ("twice", "TS-PLUGIN-003", '"exporter.twice" = "acme-one"'),
        ("denied", "TS-PLUGIN-001", "acme-denied (denied)"),
    ],
)
def test_a_pipeline_that_names_what_is_not_active_is_the_users_mistake_and_says_why(exporter: str, code: str, said: str, project: Project):
    (project.folder / "pipeline.yaml").write_text(PIPELINE % exporter)
    done = project.run("plan", "pipeline.yaml")
    assert (done.returncode, code in done.stderr, said in done.stderr) == (2, True, True), done.stderr


def test_the_doctor_finds_what_cannot_be_imported_and_goes_on(project: Project):
    done = project.run("plugin", "doctor", "--json")
    found = {ailment["subject"]: ailment["what"] for ailment in json.loads(done.stdout)}
    assert done.returncode == 1
    assert "AssertionError: acme_good.plugin was imported" in found["acme-good"]
    assert "status 3" in found["acme-exits"]
    assert "denied" in found["acme-denied"], "a denied plugin is not imported even by the doctor"


def test_a_policy_that_cannot_be_read_trusts_no_plugin_and_says_so(project: Project, tmp_path: Path):
    (tmp_path / "tunesmith.toml").write_text("[plugins]\ndeni = []\n")
    other = object.__new__(Project)
    other.__dict__.update(project.__dict__, folder=tmp_path)
    assert other.run("--help").returncode == 0
    listed = json.loads(other.run("plugin", "list", "--json").stdout)
    assert {plugin["state"] for plugin in listed if plugin["distribution"] != "tunesmith-core"} == {"denied"}
    (tmp_path / "pipeline.yaml").write_text(PIPELINE % "acme-one")
    done = other.run("plan", "pipeline.yaml")
    assert done.returncode == 2
    assert "TS-PLUGIN-021" in done.stderr
