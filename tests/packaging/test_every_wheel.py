"""Law L2 and the promise of separate installation, kept by every distribution of this repository."""

from __future__ import annotations

import email
import zipfile
from pathlib import Path

import pytest
from distributions import Distribution, distributions
from packaging.requirements import Requirement

ALL = list(distributions().values())
PLUGINS = [one for one in ALL if one.plugin]
CODE = [one for one in ALL if one.name != "tunesmith"]
LIGHT = {
    "packaging",
    "fastjsonschema",
    "prompt_toolkit",
    "fsspec",
    "phonenumberslite",
    "python-stdnum",
    "jinja2",
}  #: beside first-party distributions, and what the kernel requires itself


def wheel(wheels: Path, one: Distribution) -> zipfile.ZipFile:
    (path,) = wheels.glob(f"{one.name.replace('-', '_')}-{one.version}-*.whl")
    return zipfile.ZipFile(path)


@pytest.mark.slow
@pytest.mark.parametrize("one", PLUGINS, ids=lambda one: one.name)
def test_a_plugins_wheel_holds_its_manifest_and_no_tests(wheels: Path, one: Distribution):
    names = wheel(wheels, one).namelist()
    assert [name for name in names if name.endswith("plugin.toml")], "the manifest must be package data"
    assert not [name for name in names if "/tests/" in name and "/template/" not in name]


@pytest.mark.parametrize("one", [one for one in PLUGINS if one.name != "tunesmith-sdk"], ids=lambda one: one.name)
def test_a_plugin_needs_nothing_heavy_without_an_extra(one: Distribution):
    names = {Requirement(line).name for line in one.requires}
    assert names <= LIGHT | set(distributions()), "what a plugin runs on belongs into its [runtime] extra"


@pytest.mark.parametrize("one", CODE, ids=lambda one: one.name)
def test_a_package_says_that_it_is_typed(one: Distribution):
    (package,) = (path.parent for path in one.folder.glob("src/*/__init__.py"))
    assert (package / "py.typed").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("one", CODE, ids=lambda one: one.name)
def test_what_others_import_is_typed_in_its_wheel_too(wheels: Path, one: Distribution):
    assert [name for name in wheel(wheels, one).namelist() if name.endswith("/py.typed") and "template" not in name]


@pytest.mark.slow
def test_tunesmith_itself_has_no_code(wheels: Path):
    archive = wheel(wheels, distributions()["tunesmith"])
    assert all(".dist-info/" in name for name in archive.namelist())
    metadata = email.message_from_bytes(archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))))
    assert set(metadata.get_all("Provides-Extra", [])) == {"train", "serve", "all"}
