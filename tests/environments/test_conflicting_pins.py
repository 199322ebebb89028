"""The promise of environments: plugins whose pins exclude each other and the host's work in one pipeline, by one command, unseen.

The plugins are synthetic; their pins, the environments and the packages in these are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from tunesmith_sdk.installs import write_distribution, write_environment, write_plugin

pytestmark = pytest.mark.isolated

ELDER, YOUNGER, HOSTS = "23.2", "24.2", version("packaging")
SHELF = """
from tunesmith.contracts import ModelInfo

class Shelf:
    def resolve(self, uri, step):
        return ModelInfo(uri, "1", "model/hf")

    def fetch(self, info, output, step):
        (output / "model").write_text(info.uri)
"""
CARD = """
import packaging
import sys

class Card:
    def export(self, model, output, step):
        (output / "seen").write_text(f"{packaging.__version__} {sys.prefix}")
"""
PIPELINE = """
name: pins
model: shelf://a
steps:
  old: {export: acme-elder}
  new: {export: acme-younger}
  here: {export: acme-neutral}
"""


@dataclass
class Project:
    """A folder with the pipeline, and a host whose plugins can't agree."""

    folder: Path
    python: Path
    site: Path

    def tunesmith(self, *words: str) -> str:
        """What the command prints."""
        environment = os.environ | {
            "TUNESMITH_CACHE": str(self.folder / "cache"), "XDG_CONFIG_HOME": str(self.folder), "PYTHONPATH": "",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }  # fmt: skip
        command = [str(self.python), "-m", "tunesmith", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=500)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self) -> dict[str, dict]:
        """The steps of a run."""
        lines = [json.loads(line) for line in self.tunesmith("run", "--json").splitlines()]
        finished = next(line for line in lines if line["event"] == "run_finished")
        return {step["step"]: step for step in finished["steps"]}

    def seen(self, step: dict) -> list[str]:
        """The version that a step saw, and the environment that it saw it in."""
        digest = step["artifact"]["digest"].partition(":")[2]
        (file,) = self.folder.glob(f".tunesmith/store/*/{digest}/files/seen")
        return file.read_text().split(" ", 1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    python, site = write_environment(tmp_path / "host")
    write_distribution(site, "packaging", HOSTS)
    write_plugin(site, "acme-shelf", providers=[{
        "kind": "model_loader", "name": "shelf", "target": "acme_shelf.shelf:Shelf", "facts": {"schemes": ["shelf"]},
        "produces": ("model/hf",),
    }])  # fmt: skip
    (site / "acme_shelf" / "shelf.py").write_text(SHELF)
    for name, runtime in (("elder", [f"packaging=={ELDER}"]), ("younger", [f"packaging=={YOUNGER}"]), ("neutral", ["packaging"])):
        write_plugin(site, f"acme-{name}", runtime=runtime, providers=[{
            "kind": "exporter", "name": f"acme-{name}", "target": f"acme_{name}.card:Card", "accepts": ("model/*",),
            "produces": (f"document/{name}",),
        }])  # fmt: skip
        (site / f"acme_{name}" / "card.py").write_text(CARD)
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    return Project(tmp_path, python, site)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_each_step_sees_the_version_that_its_plugin_pins(project: Project, installer: str) -> None:
    (project.folder / "tunesmith.toml").write_text(f'[environments]\ninstaller = "{installer}"\n')
    first = project.run()
    seen = {name: project.seen(first[name]) for name in ("old", "new", "here")}
    assert {name: version for name, (version, _) in seen.items()} == {"old": ELDER, "new": YOUNGER, "here": HOSTS}
    assert len({prefix for _, prefix in seen.values()}) == 3
    assert seen["here"][1] == str(project.folder / "host")
    assert not any(step["cached"] for step in first.values())
    again = project.run()
    assert all(step["cached"] for step in again.values())
    assert {name: step["artifact"]["digest"] for name, step in again.items()} == {n: s["artifact"]["digest"] for n, s in first.items()}
    assert [path.name for path in project.site.glob("packaging*.dist-info")] == [f"packaging-{HOSTS}.dist-info"]


def test_the_plan_says_who_needs_what_and_where_it_runs(project: Project) -> None:
    before = " ".join(project.tunesmith("plan").split())
    for name, pin in (("elder", ELDER), ("younger", YOUNGER)):
        assert f"acme-{name} needs packaging=={pin} ({HOSTS} is installed)" in before
    assert before.count("isolated, to be built before the first step") == 2
    project.run()
    assert " ".join(project.tunesmith("plan").split()).count("isolated, which is there") == 2
