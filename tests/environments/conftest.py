"""A host with synthetic plugins that can't agree, as a user has it: a folder with a pipeline, and the command. Their pins, the environments
and the packages in these are real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[2] / "core" / "tests" / "tiny")
if TINY not in sys.path:
    sys.path.append(TINY)  # the tiny pipeline of the kernel's tests

from tunesmith_sdk.distributions.written_plugins import link_plugin, write_distribution, write_environment, write_plugin  # noqa: E402

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
    elder = "23.2"
    younger = "24.2"
    hosts = version("packaging")

    def call(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command, as a user calls it."""
        environment = os.environ | {
            "TUNESMITH_CACHE": str(self.folder / "cache"), "XDG_CONFIG_HOME": str(self.folder), "PYTHONPATH": "",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]), **variables,
        }  # fmt: skip
        command = [str(self.python), "-m", "tunesmith_cli", *words]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=500)

    def tunesmith(self, *words: str) -> str:
        """What the command prints, without its line breaks."""
        done = self.call(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def run(self, *words: str) -> dict[str, dict]:
        """The steps of a run."""
        done = self.call("run", "--json", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        finished = next(line for line in lines if line["event"] == "run_finished")
        return {step["step"]: step for step in finished["steps"]}

    def add(self, name: str, *runtime: str) -> None:
        """Install an exporter that writes down which version of the package it sees, and where."""
        package = f"acme_{name}"
        write_plugin(self.site, f"acme-{name}", runtime=runtime, providers=[{
            "kind": "exporter", "name": f"acme-{name}", "target": f"{package}.card:Card", "accepts": ("model/*",),
            "produces": (f"document/{name}",),
        }])  # fmt: skip
        (self.site / package / "card.py").write_text(CARD)

    @property
    def environments(self) -> list[Path]:
        return [marker.parent for marker in self.folder.glob("cache/environments/*/environment.json")]

    def seen(self, step: dict) -> list[str]:
        """The version that a step saw, and the environment that it saw it in."""
        digest = step["artifact"]["digest"].partition(":")[2]
        (file,) = self.folder.glob(f".tunesmith/store/*/{digest}/files/seen")
        return file.read_text().split(" ", 1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    python, site = write_environment(tmp_path / "host")
    write_distribution(site, "packaging", Project.hosts)
    link_plugin(site, "tunesmith-environments")
    write_plugin(site, "acme-shelf", providers=[{
        "kind": "model_loader", "name": "shelf", "target": "acme_shelf.shelf:Shelf", "facts": {"schemes": ["shelf"]},
        "produces": ("model/hf",),
    }])  # fmt: skip
    (site / "acme_shelf" / "shelf.py").write_text(SHELF)
    made = Project(tmp_path, python, site)
    made.add("elder", f"packaging=={made.elder}")
    made.add("younger", f"packaging=={made.younger}")
    made.add("neutral", "packaging")
    (tmp_path / "tunesmith.yaml").write_text(PIPELINE)
    return made
