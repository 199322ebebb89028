"""`tunesmith env ...`, on environments of tiny wheels."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments.manager import Environments
from tunesmith_sdk.distributions.wheels import write_wheel


@pytest.fixture
def forge(world: Any, tmp_path: Path) -> Any:
    """A world whose packages come from a folder of tiny wheels."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("pluggy", "anvil"):
        write_wheel(wheels, name, "1.6")
    world.write("tunesmith.toml", f'[environments]\noffline = true\nfind_links = ["{wheels}"]\n')
    world.environments = Environments(tmp_path / "cache" / "environments", offline=True, find_links=[wheels])
    return world


@pytest.fixture
def built(forge: Any) -> Any:
    return forge.environments.ensure(Recipe(("anvil",), plugins=("tunesmith-smithy", "acme-press")))


def test_without_environments_it_says_how_they_come(forge: Any):
    told = forge("env", "list")
    assert told.status == 0
    assert "tunesmith env build" in told.out
    assert forge("env", "list", "--json").json == []
    assert forge("env", "gc").out == "Nothing to delete.\n"


def test_the_list_tells_who_uses_what_and_how_large_it_is(forge: Any, built: Any):
    told = forge("env", "list")
    assert told.out.splitlines()[1].split()[:3] == [built.key[:8], "acme-press,", "smithy"]
    assert "shared" in told.out
    (listed,) = forge("env", "list", "--json").json
    assert listed["packages"] == {"anvil": "1.6", "pluggy": "1.6"}
    assert (listed["state"], listed["size"] >= listed["shared"] > 0) == ("ok", True)


@pytest.mark.parametrize("name", ["tunesmith-smithy", "smithy", "acme_press", "Acme-Press"])
def test_an_environment_is_found_by_its_plugins(name: str, forge: Any, built: Any):
    assert forge("env", "path", name).out == built.python + "\n"
    assert forge("env", "path", name, "--json").json["python"] == built.python
    shown = forge("env", "show", name)
    assert ("anvil", "1.6") in [tuple(line.split()) for line in shown.out.splitlines()]


def test_an_environment_is_found_by_the_beginning_of_its_key(forge: Any, built: Any):
    assert forge("env", "show", built.key[:4], "--json").json[0]["key"] == built.key


def test_what_is_not_there_is_said_with_what_is(forge: Any, built: Any):
    told = forge("env", "path", "smithi")
    assert told.status == 2
    assert "TS-ENV-014" in told.err
    assert "`smithy`" in told.err


def test_a_check_finds_what_is_damaged_and_the_next_build_fixes_it(forge: Any, built: Any):
    assert forge("env", "check").status == 0
    (built.site / "anvil" / "__init__.py").unlink()
    assert "changed" in forge("env", "list").out
    told = forge("env", "check", "smithy")
    assert told.status == 1
    assert "anvil/__init__.py is gone" in told.out
    assert "not complete" in forge("env", "list").out
    assert forge.environments.ensure(Recipe(("anvil",))).key == built.key
    assert [one["damage"] for one in forge("env", "check", "--json").json] == [[]]


def test_gc_shows_what_would_go_before_it_goes(forge: Any, built: Any):
    told = forge("env", "gc", "--all", "--dry-run")
    assert "would go" in told.out
    assert built.path.exists()
    assert forge("env", "gc", "--all", "--json").json["environments"][0]["key"] == built.key
    assert not built.path.exists()


def test_a_plugins_environment_is_built_ahead_and_then_there(forge: Any):
    told = forge("env", "build", "acme-bench")
    assert told.status == 0, told.err
    assert "built in" in told.out
    assert "there already" in forge("env", "build", "acme-bench").out
    python = forge("env", "path", "acme-bench").out.strip()
    done = subprocess.run([python, "-c", "import pluggy; print(pluggy.version)"], capture_output=True, text=True, check=True)
    assert done.stdout == "1.6\n"


@pytest.mark.slow
def test_a_build_by_the_other_installer_and_with_the_newest_packages(forge: Any, tmp_path: Path):
    assert forge("env", "build", "acme-bench").status == 0
    write_wheel(tmp_path / "wheels", "pluggy", "1.7")
    events = forge("env", "build", "acme-bench", "--upgrade", "--installer", "pip", "--json").events
    assert events[-1]["event"] == "environment_ready"
    (new, _) = forge("env", "list", "--json").json
    assert new["packages"]["pluggy"] == "1.7"
    assert new["made_by"].startswith("pip ")
    assert forge("env", "gc").out.count("no lock leads to it") == 1


@pytest.mark.slow
def test_a_bundle_says_how_it_is_used_on_the_other_side(forge: Any, tmp_path: Path):
    told = forge("env", "bundle", str(tmp_path / "stick"), "acme-bench")
    assert told.status == 0, told.err
    assert f'find_links = ["{tmp_path / "stick"}"]' in told.out
    assert [path.name for path in (tmp_path / "stick").glob("*.whl")] == ["pluggy-1.6-py3-none-any.whl"]


@pytest.mark.parametrize("name", ["project", "link.yaml"])
def test_a_build_for_a_pipeline_is_held_to_the_policy_of_its_project(
    name: str, world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world.write("tunesmith.yaml", "model: shelf://a\nsteps:\n  card: {export: bench}\n")
    (tmp_path / "link.yaml").symlink_to(world.folder / "tunesmith.yaml")
    monkeypatch.chdir(tmp_path)
    world.write("tunesmith.toml", '[plugins]\nrequire = ["acme-gate"]\n')
    told = world("env", "build", name)
    assert (told.status, "TS-PLUGIN-022" in told.err) == (2, True)
    world.write("tunesmith.toml", '[plugins]\ndeny = ["acme-bench"]\n')
    assert "acme-bench" in world("env", "build", name).err


def test_a_build_for_an_unknown_plugin_says_so(forge: Any):
    told = forge("env", "build", "acme-bnch")
    assert told.status == 2
    assert "acme-bench" in told.err


def test_an_installer_that_fails_is_a_coded_error(forge: Any, tmp_path: Path):
    (tmp_path / "wheels" / "pluggy-1.6-py3-none-any.whl").unlink()
    told = forge("env", "build", "acme-bench")
    assert told.status == 2
    assert "TS-ENV-008" in told.err
    assert "`pluggy" in told.err
