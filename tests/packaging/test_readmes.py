"""Each distribution's README: what it is, the line that installs it, an example for which that line is enough, settings, limits."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from distributions import Distribution, brought, distributions
from packaging.requirements import Requirement
from packaging.version import Version
from PIL import Image

from tunesmith import toml
from tunesmith.config import load_config
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.main import main
from tunesmith_sdk.testing.plans import CARDS, LAPTOP, plan_on_a_laptop

from .example_data import write_example_data
from .readme import Readme, readmes

ALL = readmes()
PLUGINS = [readme for readme in ALL if readme.one.plugin and readme.one.name != "tunesmith-sdk"]
PIPELINES = [readme for readme in ALL if readme.pipeline]
#: what is imported and not called by a command
CODE = [readme for readme in ALL if readme.one.name == "tunesmith-core" or readme.one.folder.parts[-2] == "library"]
#: kinds whose example is no pipeline: they are imported, or read, show or listen whatever the pipeline, or are named by an objective
NO_PIPELINE = {"library", "dataset_format", "device_backend", "environment_builder", "page", "reward", "rl_environment"}


def named(readme: Readme) -> str:
    return readme.one.name


def manifest(one: Distribution) -> dict:
    (path,) = one.folder.glob("src/*/plugin.toml")
    return toml.read(path)


@pytest.mark.parametrize("readme", ALL, ids=named)
def test_it_is_in_the_order_in_which_one_reads(readme: Readme) -> None:
    parts = [f"# {readme.one.name}\n\n", "pip install ", "## Settings", "## Limits\n"]
    if readme.pipeline:
        parts.insert(2, readme.pipeline)
    places = [readme.text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert len(readme.commands) > 1, "a line that installs it, and one that uses it"


@pytest.mark.parametrize("readme", ALL, ids=named)
def test_its_line_installs_it(readme: Readme) -> None:
    ours, _ = brought(readme.install)
    assert readme.one.name in ours
    assert not {"tunesmith-cli", "tunesmith-core"} <= {*readme.install}, "the one brings the other"
    assert readme in CODE or "tunesmith-cli" in ours, "without commands nothing can be done"


@pytest.mark.parametrize("readme", PLUGINS, ids=named)
def test_it_names_every_setting_or_whose_they_are(readme: Readme) -> None:
    declared = {name for record in manifest(readme.one).get("providers", ()) for name in record.get("schema", {}).get("properties", {})}
    settings = readme.text.partition("## Settings")[2]
    others = re.findall(r"^Those of \[.*?\]\((.+?)\)", settings, re.M)
    told = readme.text + "".join((readme.one.folder / other / "README.md").read_text() for other in others)
    assert {name for name in declared if f"`{name}`" not in told} == set()


@pytest.mark.parametrize("readme", PLUGINS, ids=named)
def test_it_says_where_nobody_has_seen_it_run(readme: Readme) -> None:
    grades = [record.get("capabilities", {}).get("device.cuda") for record in manifest(readme.one).get("providers", ())]
    if "unknown" in grades:
        assert "not verified on hardware" in readme.text.partition("## Limits\n")[2].lower()


def test_every_plugin_that_works_in_pipelines_shows_one() -> None:
    provided = {readme.one.name: {one["kind"] for one in manifest(readme.one).get("providers", ())} for readme in PLUGINS}
    kinds = {readme.one.name: readme.one.folder.parts[-2] for readme in PLUGINS if provided[readme.one.name] - {"importer"}}
    assert {kinds[readme.one.name] for readme in PLUGINS if readme.one.name in kinds and not readme.pipeline} <= NO_PIPELINE


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data that the examples speak of."""
    folder = tmp_path_factory.mktemp("project")
    write_example_data(folder)
    return folder


@pytest.mark.parametrize("readme", PIPELINES, ids=named)
def test_its_line_brings_all_that_its_example_takes(project: Path, readme: Readme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned with these plugins alone, and with what those run on that are not isolated."""
    for name, value in readme.exports.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project)
    ours, others = brought(readme.install)
    names = ", ".join(f'"{name}"' for name in sorted(ours))
    (project / "tunesmith.toml").write_text(f"[plugins]\nallow = [{names}]\n")
    (project / "tunesmith.yaml").write_text(readme.pipeline)
    registry = load_registry(load_config(project, home=project / "home"))
    plan = plan_on_a_laptop(project / "tunesmith.yaml", registry, CARDS if readme.on_cards else LAPTOP)
    unseen = ("runs only in part", *(("cuda unknown",) if readme.on_cards else ()))  # what nobody has seen run on a card says so
    assert [warning for warning in plan.warnings if not any(words in warning for words in unseen)] == []
    in_host = [step for step in plan.steps if not step.recipe]
    used = {record.distribution for step in in_host for record in (step.verb, *(choice.record for choice in step.choices.values()))}
    used |= {choice.record.distribution for choice in plan.listeners}
    for name in used - {"tunesmith-core"}:
        for wanted in map(Requirement, distributions()[name].extras.get("runtime", ())):
            assert wanted.name in ours or any(at_least(other, wanted) for other in others), f"{name} runs on {wanted}"


def at_least(other: Requirement, wanted: Requirement) -> bool:
    """Whether who has the one has the other."""
    return other.name == wanted.name and lowest(other) >= lowest(wanted)


def lowest(requirement: Requirement) -> Version:
    return max((Version(part.version) for part in requirement.specifier if part.operator in (">=", "==", "~=")), default=Version("0"))


@pytest.mark.parametrize("readme", [readme for readme in ALL if "python example.py" in readme.commands], ids=named)
def test_its_example_in_python_runs(readme: Readme, tmp_path: Path) -> None:
    (text,) = [text for text in readme.blocks("python") if text.startswith("# example.py\n")]
    (tmp_path / "example.py").write_text(text)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr


@pytest.mark.parametrize("readme", [readme for readme in ALL if "tunesmith data inspect" in readme.text], ids=named)
def test_the_rows_that_it_shows_are_read_as_it_says(readme: Readme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    (command,) = [line for line in readme.commands if line.startswith("tunesmith data inspect ")]
    monkeypatch.chdir(tmp_path)
    (tmp_path / command.split()[-1]).write_text(readme.rows)
    for picture in re.findall(r'"(\w+\.(?:png|jpg))"', readme.rows):
        Image.new("RGB", (8, 8)).save(tmp_path / picture)
    assert main([*command.split()[1:]]) == 0
    formats = {record["name"] for record in manifest(readme.one)["providers"]}
    assert formats & set(capsys.readouterr().out.replace(",", " ").split())
