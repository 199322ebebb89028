"""Environments that somebody or something changed after they were built."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from told import Told

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments import environment, snapshot
from tunesmith_environments.environment import Environment
from tunesmith_environments.manager import Environments

RECIPE = Recipe(("anvil>=2",), plugins=("acme-forge",))
HARM: dict[str, Callable[[Environment], None]] = {
    "a module": lambda built: (built.site / "anvil" / "__init__.py").unlink(),
    "a package": lambda built: shutil.rmtree(built.site / "tongs"),
    "a package's metadata": lambda built: shutil.rmtree(built.site / "tongs-0.5.dist-info"),
    "a package with its metadata": lambda built: [shutil.rmtree(path) for path in built.site.glob("tongs*")],
    "the interpreter": lambda built: (built.path / "bin" / "python").unlink(),
    "what makes it an environment": lambda built: (built.path / "pyvenv.cfg").unlink(),
    "all packages": lambda built: shutil.rmtree(built.site),
}


@pytest.fixture
def uv_only(wheels: Path, tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", offline=True, find_links=[wheels])


@pytest.mark.parametrize("what", HARM)
def test_it_is_built_anew_when_somebody_deletes(what: str, uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    HARM[what](built)
    assert uv_only.ready(RECIPE) is None
    told = Told()
    again = uv_only.ensure(RECIPE, told)
    assert snapshot.damage(again.path, again.site, dict(again.packages)) == []
    assert any("damaged" in line and built.key in line for line in told.logged)


def test_a_file_that_was_cut_short_is_found_when_a_worker_did_not_start(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    module = built.site / "anvil" / "__init__.py"
    text = module.read_text()
    module.unlink()  # it is a link into the installer's cache
    module.write_text(text[:3])
    assert uv_only.verify(built) == ["anvil/__init__.py has 3 bytes, not 16"]
    assert uv_only.ready(RECIPE) is None
    assert uv_only.verify(uv_only.ensure(RECIPE)) == []


def test_a_python_that_is_gone_from_the_machine_is_found(uv_only: Environments, tmp_path: Path):
    built = uv_only.ensure(RECIPE)
    python = built.path / "bin" / "python"
    python.unlink()
    python.symlink_to(tmp_path / "uninstalled" / "python3")
    assert uv_only.ready(RECIPE) is None
    assert uv_only.ensure(RECIPE).key == built.key


def test_what_was_only_added_is_no_damage(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    (built.site / "anvil" / "compiled_at_first_use.so").write_text("")
    assert not snapshot.unchanged(built.path)
    told = Told()
    assert uv_only.ensure(RECIPE, told).created == built.created
    assert not told.logged
    assert snapshot.unchanged(built.path), "and is looked at once only"


def test_files_are_looked_at_once_after_the_machine_was_started_anew(
    uv_only: Environments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    built = uv_only.ensure(RECIPE)
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(snapshot, "_BOOT", tmp_path / "boot")
    assert not snapshot.unchanged(built.path)
    assert uv_only.ready(RECIPE)
    assert snapshot.unchanged(built.path)


def test_a_marker_that_is_no_marker_is_none(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    for text in ("", "{", "[]", '{"marker": 99}', '{"marker": 1, "key": "another"}'):
        (built.path / environment.MARKER).write_text(text)
        assert environment.read(built.path) is None
    assert uv_only.ensure(RECIPE).packages == built.packages


def test_a_use_is_noted_and_changes_nothing_that_is_looked_at(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    os.utime(built.path / environment.MARKER, (0, 0))
    assert environment.read(built.path).last_used == 0
    uv_only.ensure(RECIPE)
    assert environment.read(built.path).last_used > 1e9
    assert snapshot.unchanged(built.path)
