"""Links, sizes, locks of other processes, wheels to carry away, and what is deleted."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from told import Told

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.errors import Cancelled
from tunesmith.isolation.locks import FileLock
from tunesmith_environments import code_links, environment
from tunesmith_environments.bundle import bundle
from tunesmith_environments.disk_usage import measure
from tunesmith_environments.garbage_collection import collect, in_use
from tunesmith_environments.manager import Environments

RECIPE = Recipe(("anvil>=2",), plugins=("acme-forge",))


@pytest.fixture
def uv_only(wheels: Path, tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", offline=True, find_links=[wheels])


# --- links ---------------------------------------------------------------------------------------------------------------------------


def test_links_are_made_once_and_start_a_worker(tmp_path: Path):
    package = tmp_path / "forge"
    package.mkdir()
    made = code_links.make(tmp_path / "environments", {"forge": package})
    assert code_links.make(tmp_path / "environments", {"forge": package}) == made
    assert {path.name for path in made.iterdir()} == {"forge", "tunesmith", "__main__.py"}
    assert (made / "forge").resolve() == package
    assert [path.name for path in made.parent.iterdir()] == [made.name]
    assert code_links.make(tmp_path / "environments", {"forge": tmp_path}) != made


# --- several processes ---------------------------------------------------------------------------------------------------------------


def test_who_finds_another_building_waits_says_so_and_can_be_stopped(uv_only: Environments):
    uv_only.lock(RECIPE)
    lock = FileLock(uv_only.directory / f"{uv_only.key(RECIPE)}.lock")
    assert lock.try_acquire()
    told = Told()

    def cancel() -> None:
        if told.logged:
            raise Cancelled("enough")

    told._during = cancel
    with pytest.raises(Cancelled):
        uv_only.ensure(RECIPE, told)
    assert str(os.getpid()) in told.logged[0]
    lock.release()
    assert uv_only.ensure(RECIPE, Told()).packages


# --- sizes ---------------------------------------------------------------------------------------------------------------------------


def test_what_others_hold_too_is_told_apart(tmp_path: Path):
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    (here / "own").write_bytes(b"x" * 40960)
    (here / "twice").write_bytes(b"x" * 40960)
    os.link(here / "twice", here / "again")
    (elsewhere / "cached").write_bytes(b"x" * 81920)
    os.link(elsewhere / "cached", here / "shared")
    assert measure(here) == (40960 + 40960 + 81920, 81920)


# --- bundles -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_was_bundled_is_all_that_another_machine_needs(
    installer: str, uv_only: Environments, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recipe = Recipe(("anvil",), without_dependencies=("hammer",), plugins=("acme-forge",))
    (lock,) = bundle(uv_only, [recipe], tmp_path / "stick", Told())
    assert {package.name for package in lock.packages} == {"anvil", "hammer", "pluggy", "tongs"}
    shutil.rmtree(wheels)
    for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "empty" / name))
    there = Environments(tmp_path / "there", installer=installer, offline=True, find_links=[tmp_path / "stick"])
    assert there.key(recipe), "the lock came along"
    assert there.ensure(recipe).packages == {package.name: package.version for package in lock.packages}


# --- what goes -----------------------------------------------------------------------------------------------------------------------


def reasons(environments: Environments, days: float = 30, **more: bool) -> dict[str, str]:
    return {found.path.name: found.reason for found in collect(environments.directory, days, **more)}


def test_what_is_whole_and_used_stays(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    assert reasons(uv_only) == {}
    assert built.path.is_dir()


def test_what_was_not_used_for_long_goes(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    long_ago = time.time() - 40 * 86400
    os.utime(built.path / environment.MARKER, (long_ago, long_ago))
    assert "40 days" in reasons(uv_only, dry_run=True)[built.key]
    assert built.path.is_dir()
    assert reasons(uv_only)
    assert not built.path.exists()


def test_what_an_upgrade_has_replaced_goes(uv_only: Environments, wheels: Path):
    built = uv_only.ensure(Recipe(("anvil",)))
    (wheels / "anvil-2.0-py3-none-any.whl").unlink()
    uv_only.lock(Recipe(("anvil",)), upgrade=True)
    new = uv_only.ensure(Recipe(("anvil",)))
    assert list(reasons(uv_only)) == [built.key]
    assert new.path.is_dir()


def test_half_built_and_damaged_ones_go_but_none_that_is_being_built(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    shutil.rmtree(built.site / "anvil")
    (uv_only.directory / "half").mkdir()
    (uv_only.directory / "busy").mkdir()
    with FileLock(uv_only.directory / "busy.lock"):
        found = {one.path.name: one.kept for one in collect(uv_only.directory, 30)}
    assert found == {"half": "", built.key: "", "busy": "it is being built"}
    assert [path.name for path in environment.folders(uv_only.directory)] == ["busy"]


def test_one_that_a_process_runs_in_stays(uv_only: Environments):
    built = uv_only.ensure(RECIPE)
    running = subprocess.Popen([built.python, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    running.stdout.readline()
    try:
        (found,) = collect(uv_only.directory, 30, everything=True)
        assert found.kept
        assert built.path.is_dir()
    finally:
        running.communicate(b"\n")
    assert [one.kept for one in collect(uv_only.directory, 30, everything=True)] == [""]
    assert not built.path.exists()


def test_one_whose_library_a_process_has_loaded_stays(tmp_path: Path):
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "library.so").write_bytes(b"x" * 4096)
    with open(tmp_path / "environment" / "library.so", "r+b") as file, mmap.mmap(file.fileno(), 0):
        assert in_use(tmp_path / "environment")
    assert not in_use(tmp_path / "environment")


def test_links_to_code_that_is_gone_go(uv_only: Environments, tmp_path: Path):
    (tmp_path / "forge").mkdir()
    made = code_links.make(uv_only.directory, {"forge": tmp_path / "forge"})
    kept = code_links.make(uv_only.directory, {})
    (tmp_path / "forge").rmdir()
    collect(uv_only.directory, 30)
    assert not made.exists()
    assert kept.exists()
