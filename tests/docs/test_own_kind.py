"""docs/own-kind.md, followed literally: a made-up plugin brings a kind, another one a provider of it, and the kernel knows neither."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.plugins.manifest import read_manifest
from tunesmith_sdk.distributions.written_plugins import write_distribution

PAGE = Path(__file__).parents[2] / "docs" / "own-kind.md"
FILE = re.compile(r"^`(?P<name>(?:src|tests)/[\w./-]+\.\w+)`.*?\n(?P<fence>`{3,})(?:python|jinja)\n(?P<code>.*?)^(?P=fence)$", re.M | re.S)
COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.M | re.S)
PROJECT = """
[project]
name = "acme-greet"
version = "0.1.0"
dependencies = ["tunesmith-core>=0.1"]
[project.entry-points."tunesmith.plugins"]
greet = "acme_greet.plugin"
[build-system]
build-backend = "hatchling.build"
"""


def files() -> dict[str, str]:
    return {found["name"]: found["code"] for found in FILE.finditer(PAGE.read_text(encoding="utf-8"))}


class Place:
    """A folder in which both plugins' sources lie, and one from which they are imported."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site = folder, folder / "site"
        self.site.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if name != "TUNESMITH_HOME"}
        self.environment |= {"TUNESMITH_CACHE": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder), "PYTHONPATH": str(self.site)}

    def install(self, distribution: str, source: Path) -> None:
        """As an editable one: the package as it lies in its folder, metadata beside it."""
        package = distribution.replace("-", "_")
        (self.site / package).symlink_to(source / "src" / package, target_is_directory=True)
        write_distribution(self.site, distribution, "0.1.0", points=f"{distribution} = {package}.plugin")

    def tunesmith(self, line: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "tunesmith_cli", *line.split()]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """With the page's plugin installed, and the provider made that its commands make."""
    place = Place(tmp_path_factory.mktemp("greet"))
    source = place.folder / "acme-greet"
    for name, text in files().items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "src" / "acme_greet" / "__init__.py").touch()
    (source / "pyproject.toml").write_text(PROJECT)
    place.tunesmith("plugin sync acme-greet")
    place.install("acme-greet", source)
    new, _ = COMMANDS.findall(PAGE.read_text(encoding="utf-8"))[0].splitlines()
    place.tunesmith(new.removeprefix("tunesmith "))
    return place


def test_the_page_has_every_file_of_the_plugin():
    names = {name.removeprefix("src/acme_greet/") for name in files()}
    templates = {f"scaffold/greeter/{name}.jinja" for name in ("about", "plugin.py", "greeter.py", "test.py", "usage.md")}
    assert names == {"contract.py", "plugin.py", "verb.py", "checks.py", "tests/test_greeter_mutants.py"} | templates


def test_a_provider_is_made_from_the_template_and_says_whose_its_kind_is(place: Place):
    (record,) = read_manifest(place.folder / "acme-short/src/acme_short/plugin.toml").providers
    assert (record.kind, record.name, record.api, record.kind_from) == ("greeter", "short", 1, "acme-greet")
    assert '"acme-greet>=0.1"' in (place.folder / "acme-short/pyproject.toml").read_text()
    assert "acme_greet.contract:Greeter" in (place.folder / "acme-short/README.md").read_text()


def test_it_is_checked_by_the_checks_that_the_kind_brings(place: Place):
    (_, check) = COMMANDS.findall(PAGE.read_text(encoding="utf-8"))[0].splitlines()
    told = place.tunesmith(f"{check.removeprefix('tunesmith ')} --only greeter --only provider.loads")
    assert re.search(r"ok +greeter\.names-the-model", told)
    assert re.search(r"ok +provider\.loads", told)


def test_its_checks_catch_the_faults_that_are_planted(place: Place):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "acme-greet/tests"]
    done = subprocess.run(command, cwd=place.folder, env=place.environment, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('f"Morning, {name}"', '"Morning"', "Put the name into one line."),
        ("def greet(self, name", "def greet(self, name, loudly", "`greet(name)` can't be called"),
        ("def greet(", "def salute(", "no `greet`"),
    ],
)
def test_one_that_does_not_keep_the_contract_is_caught(old: str, new: str, said: str, place: Place):
    path = place.folder / "acme-short/src/acme_short/greeter.py"
    good = path.read_text()
    path.write_text(good.replace(old, new))
    try:
        assert said in place.tunesmith("plugin check acme-short --only greeter --only provider.loads", status=1)
    finally:
        path.write_text(good)


def test_a_pipeline_runs_with_it_and_without_the_kind_it_is_listed_with_the_reason(place: Place):
    place.install("acme-short", place.folder / "acme-short")
    (place.folder / "model").mkdir()
    (place.folder / "model" / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    (place.folder / "model" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (place.folder / "tunesmith.yaml").write_text("model: file://model\nsteps:\n  hello: {greet: short, from: model}\n")
    place.tunesmith("run")
    assert "kind: greeter; verb: greet" in place.tunesmith("plugin list")
    assert "acme_greet.contract:Greeter, version 1" in place.tunesmith("plugin info acme-greet")
    (greeting,) = (place.folder / ".tunesmith" / "store").rglob("greeting.txt")
    assert greeting.read_text().startswith("Morning, ")
    shutil.rmtree(place.site / "acme_greet-0.1.0.dist-info")
    told = place.tunesmith("plugin list")
    assert "acme-short is incompatible: it brings the greeter `short`, and acme-greet, which brings that kind, is not installed" in told
    assert "pip install acme-greet" in told
