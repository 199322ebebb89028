"""Law L2 and the promise of separate installation, kept by every distribution of this repository."""

from __future__ import annotations

import email
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for pattern in ("plugins/*/*", "contrib/*") for path in ROOT.glob(f"{pattern}/pyproject.toml"))
LIGHT = {"tunesmith-core", "tunesmith-cli", "tunesmith-environments", "packaging"}  #: and what the kernel requires itself


def distribution(folder: Path) -> str:
    import tomllib

    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"]


def wheel(wheels: Path, folder: Path) -> zipfile.ZipFile:
    (path,) = wheels.glob(f"{distribution(folder).replace('-', '_')}-*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugins_wheel_holds_its_manifest_and_needs_nothing_heavy(wheels: Path, folder: Path):
    names = wheel(wheels, folder).namelist()
    assert [name for name in names if name.endswith("plugin.toml")], "the manifest must be package data"
    assert not [name for name in names if "/tests/" in name]
    assert [name for name in names if name.endswith("/py.typed")], "what others import from it is checked by their type checker"
    (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
    headers = email.message_from_bytes(wheel(wheels, folder).read(metadata))
    base = [r.split(";")[0].strip() for r in headers.get_all("Requires-Dist", []) if "extra ==" not in r]
    ours = {distribution(other) for other in PLUGINS}
    heavy = [r for r in base if not any(r == name or r.startswith((f"{name}>", f"{name}=", f"{name} ")) for name in LIGHT | ours)]
    assert not heavy, "what a plugin runs on belongs into its [runtime] extra"


@pytest.mark.parametrize("folder", [ROOT / "core", ROOT / "cli", ROOT / "sdk", *PLUGINS], ids=lambda folder: folder.name)
def test_a_package_says_that_it_is_typed(folder: Path):
    (package,) = (path.parent for path in folder.glob("src/*/__init__.py"))
    assert (package / "py.typed").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("folder", [ROOT / "core", ROOT / "cli", ROOT / "sdk"], ids=lambda folder: folder.name)
def test_what_authors_import_is_typed_in_its_wheel_too(wheels: Path, folder: Path):
    assert [name for name in wheel(wheels, folder).namelist() if name.endswith("/py.typed") and "template" not in name]


@pytest.mark.slow
@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_installs_alone_and_is_listed(clean_environment, tmp_path: Path, folder: Path):
    bin = clean_environment(distribution(folder))
    answer = subprocess.run([bin / "tunesmith", "plugin", "list", "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    states = {plugin["distribution"]: plugin["state"] for plugin in json.loads(answer.stdout)}
    assert states[distribution(folder)] == "active"
    assert subprocess.run([bin / "tunesmith", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True).stderr == ""
