"""Every distribution installs alone by the line of its README, from what `make release` writes; what it shows can then be done."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from distributions import ROOT, brought, distributions

from tunesmith_sdk.conformance.materials import tiny_gguf

from .example_data import write_example_data
from .readme import Readme, readmes

CONSTRAINTS = ("--constraint", str(ROOT / "tools" / "constraints.txt"))
#: checks that need no model and no data: what is named is there, can be imported, and knows its settings
CHEAP = ("imports.light", "targets.exist", "provider.loads", "settings.defaults-fit", "settings.bad-refused")
HERE = ("TUNESMITH_HOME", "PYTHONPATH", "VIRTUAL_ENV")


class User:
    """Somebody with one environment, in a folder with some data and a small model."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.bin, self.folder = bin, folder
        self.environment = {name: value for name, value in os.environ.items() if name not in HERE}
        self.environment |= {"TUNESMITH_CACHE": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.environment["PATH"] = f"{bin}{os.pathsep}{self.environment['PATH']}"

    def do(self, line: str, timeout: float | None = None) -> str:
        done = subprocess.run(
            line, shell=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False, timeout=timeout
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def models(tiny_model: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model for each scheme by which the examples name one."""
    model = tiny_model()
    return {"package": tiny_gguf.write(model, tmp_path_factory.mktemp("model") / "model.gguf"), "hf": model, "file": model}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example_data(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("readme", readmes(), ids=lambda readme: readme.one.name)
def test_its_own_line_installs_it_and_what_its_example_takes(readme: Readme, clean_environment, models, folder: Path) -> None:
    user = User(clean_environment(*CONSTRAINTS, *readme.install), folder)
    if readme.pipeline:
        model = next(path for scheme, path in models.items() if re.search(rf"^model: {scheme}:", readme.pipeline, re.M) or scheme == "file")
        pipeline = re.sub(r"^model: \S+", f"model: {model}", readme.pipeline, flags=re.M)
        another = f"download: file, settings: {{uri: 'file://{model}'}}"  # a second model, from a hub that is not reachable here
        pipeline = re.sub(r"download: huggingface, settings: \{uri: [^}]+\}", lambda _: another, pipeline)
        (folder / "tunesmith.yaml").write_text(pipeline)
        user.environment |= readme.exports
        user.do(readme.plan)
    if not readme.one.plugin:
        for line in readme.commands[1:]:
            user.do(line)
        return
    if not (user.bin / "tunesmith").exists():  # a library: nothing of it is in the command's hands
        return
    (listed,) = [plugin for plugin in json.loads(user.do("tunesmith plugin list --json")) if plugin["distribution"] == readme.one.name]
    assert listed["state"] == "active"
    assert listed["runs"] == ("isolated" if readme.one.prefers_isolation else "host")
    assert user.do("tunesmith --help 2>&1 >/dev/null") == ""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_of_them_pass_the_cheap_checks_where_tunesmith_all_is_installed(clean_environment, tmp_path: Path) -> None:
    user = User(clean_environment(*CONSTRAINTS, "tunesmith[all]", "tunesmith-sdk"), tmp_path)
    only = " ".join(f"--only {check}" for check in CHEAP)
    for name in sorted(brought(["tunesmith[all]"])[0]):
        if distributions()[name].plugin:
            user.do(f"tunesmith plugin check {distributions()[name].folder} {only}")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_quickstart_runs_as_the_readme_installs_it(wheels: Path, clean_environment, tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = next(text for text in re.findall(r"^```\n(.*?)^```$", page, re.M | re.S) if text.startswith("make release\n"))
    _, install, run = block.splitlines()
    words = shlex.split(install)
    assert words[:4] == ["pip", "install", "--find-links", "dist"], "where `make release` puts the wheels"
    user = User(clean_environment(*CONSTRAINTS, "--find-links", str(wheels), *words[4:]), tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    user.do(run)
    (report,) = tmp_path.glob(".tunesmith/runs/*/report.json")
    facts = json.loads(report.read_text())
    assert facts["state"] == "done"
    assert {"tune", "small", "api", "ask:api:generation"} <= {step["name"] for step in facts["steps"]}
