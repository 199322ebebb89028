"""A plugin that runs in an isolated environment is read by every Python that it says it runs under, not only by the host's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tunesmith import toml
from tunesmith_environments import interpreters

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
READ_ALL = "import pathlib, sys\nfor p in map(pathlib.Path, sys.argv[1:]): compile(p.read_text(encoding='utf-8'), str(p), 'exec')"


def foreign() -> list[tuple[str, str, Path]]:
    """Distribution, Python versions and package folder of the plugins that are never in the host's environment, and of those whose verbs
    work there with them, which must be read by the oldest that a worker runs under."""
    found = []
    for path in sorted(ROOT.glob("plugins/*/*/src/*/plugin.toml")):
        manifest = toml.read(path)
        environment = manifest.get("environment", {})
        if environment.get("prefer") == "isolated":
            project = toml.read(path.parents[2] / "pyproject.toml")["project"]
            found.append((manifest["distribution"], environment.get("python") or project["requires-python"], path.parent))
        elif any(record["kind"] == "verb" and record.get("main_kind") == "inference_backend" for record in manifest.get("providers", ())):
            found.append((manifest["distribution"], ">=3.9", path.parent))
    return found


@pytest.mark.parametrize(("distribution", "wanted", "package"), foreign(), ids=[name for name, _, _ in foreign()])
@pytest.mark.parametrize("version", VERSIONS)
def test_its_code_is_read_by_every_python_that_it_names(distribution: str, wanted: str, package: Path, version: str) -> None:
    if f"{version}.99" not in SpecifierSet(wanted):
        pytest.skip(f"{distribution} does not run under Python {version}")
    python = interpreters.choose(f"=={version}.*")
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    done = subprocess.run([python.path, "-c", READ_ALL, *package.rglob("*.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_are_such_plugins() -> None:
    assert {"tunesmith-vllm", "tunesmith-serve"} <= {name for name, _, _ in foreign()}
