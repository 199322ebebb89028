"""Environments from recipes, by both installers, from wheels of a few bytes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from told import Told

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.errors import Cancelled, TunesmithError
from tunesmith_environments import code_links, environment, interpreters
from tunesmith_environments.manager import Environments
from tunesmith_sdk.distributions.wheels import write_wheel


def python(built: environment.Environment, code: str, recipe: Recipe | None = None) -> str:
    linked = code_links.make(built.path.parent, recipe.packages if recipe else {})
    done = subprocess.run([built.python, "-c", code], env=built.variables(linked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_recipe_becomes_an_environment_with_what_it_asks_for_and_the_workers_pluggy(environments: Environments):
    recipe = Recipe(("anvil>=2",), plugins=("acme-forge",))
    assert environments.key(recipe) is None
    told = Told()
    built = environments.ensure(recipe, told)
    assert dict(built.packages) == {"anvil": "2.0", "pluggy": "1.6.0", "tongs": "0.5"}
    assert python(built, "import anvil, tongs, pluggy; print(anvil.version)") == "2.0"
    assert told.stages[0] == "resolving"
    assert "packages" in told.stages
    assert environments.key(recipe) == built.key
    assert environments.ready(recipe).key == built.key
    assert [found.key for found in environments.all()] == [built.key]


def test_the_code_of_the_host_is_linked_beside_it_and_wins(environments: Environments, tmp_path: Path):
    package = tmp_path / "code" / "forge"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import anvil\nheat = anvil.version\n")
    recipe = Recipe(("anvil==1.0",), packages={"forge": package})
    built = environments.ensure(recipe)
    assert python(built, "import forge, tunesmith.isolation.worker; print(forge.heat)", recipe) == "1.0"
    assert list((built.path / environment.BYTECODE).rglob("*.pyc")), "what was compiled lies apart"
    assert environments.ready(recipe), "and changed nothing that is looked at"


def test_what_must_be_absent_is_with_all_that_only_it_needed(environments: Environments):
    built = environments.ensure(Recipe(("hammer", "anvil>=1"), absent=("Anvil",)))
    assert set(built.packages) == {"hammer", "pluggy"}


def test_what_is_installed_without_its_requirements_brings_none(environments: Environments):
    built = environments.ensure(Recipe(("tongs",), without_dependencies=("hammer==1.0",)))
    assert set(built.packages) == {"hammer", "pluggy", "tongs"}


@pytest.mark.slow
def test_both_installers_make_the_same_of_a_recipe(wheels: Path, tmp_path: Path):
    recipe = Recipe(("anvil", "hammer"), without_dependencies=("tongs",), absent=("pluggy-extras",))
    made = [Environments(tmp_path / name, installer=name, offline=True, find_links=[wheels]).ensure(recipe) for name in ("uv", "pip")]
    assert made[0].packages == made[1].packages
    assert made[0].key == made[1].key
    files = [{str(path.relative_to(built.site)) for path in built.site.glob("[!_]*/*.*") if path.name != "uv_cache.json"} for built in made]
    assert files[0] == files[1]


PROBE = """
import anvil
def probe():
    with open({path!r}, "a") as file:
        print("probed", file=file)
    return {{"anvil": anvil.version}}
"""


def test_plugins_with_the_same_requirements_share_an_environment_and_each_probes_it_once(environments: Environments, tmp_path: Path):
    forge = tmp_path / "forge.py"
    forge.write_text(PROBE.format(path=str(tmp_path / "probed")))
    first = environments.ensure(Recipe(("anvil==1.0",), plugins=("acme-forge",)))
    second = Recipe(("anvil==1.0",), plugins=("acme-press",), probes=("forge:probe",), packages={"forge": forge})
    built = environments.ensure(second)
    environments.ensure(second)
    assert built.key == first.key
    assert built.facts == {"anvil": "1.0"}
    assert environments.all()[0].plugins == ("acme-forge", "acme-press")
    assert (tmp_path / "probed").read_text() == "probed\n"


def test_another_accelerator_is_another_environment(environments: Environments):
    keys = {environments.ensure(Recipe(("tongs",), accelerator=name)).key for name in ("cpu", "hearth")}
    assert len(keys) == 2


def test_a_probe_that_fails_is_quoted_and_nothing_is_left(environments: Environments, tmp_path: Path):
    (tmp_path / "forge.py").write_text("def probe():\n    print('looking for heat')\n    raise RuntimeError('the fire is out')\n")
    recipe = Recipe(("anvil",), probes=("forge:probe",), packages={"forge": tmp_path / "forge.py"}, plugins=("acme-forge",))
    with pytest.raises(TunesmithError) as caught:
        environments.ensure(recipe)
    assert caught.value.code == "TS-ENV-007"
    assert "acme-forge" in caught.value.what
    assert "the fire is out" in caught.value.why
    assert environments.key(recipe)
    assert not (environments.directory / environments.key(recipe)).exists()


def test_a_cancel_ends_the_installer_and_nothing_is_left(environments: Environments):
    recipe = Recipe(("anvil",))
    environments.lock(recipe)

    def cancel() -> None:
        if (environments.directory / environments.key(recipe)).exists():
            raise Cancelled("build")

    with pytest.raises(Cancelled):
        environments.ensure(recipe, Told(cancel))
    assert not (environments.directory / environments.key(recipe)).exists()
    assert environments.ensure(recipe, Told()).packages["anvil"] == "2.0"


def test_what_a_killed_builder_left_is_swept_by_the_next(environments: Environments):
    recipe = Recipe(("anvil",))
    environments.lock(recipe)
    half = environments.directory / environments.key(recipe)
    (half / "lib").mkdir(parents=True)
    (half / "lib" / "half-a-file").write_text("x")
    built = environments.ensure(recipe)
    assert not (built.path / "lib" / "half-a-file").exists()


def test_a_lock_is_used_again_until_an_upgrade_is_asked_for(environments: Environments, wheels: Path):
    recipe = Recipe(("anvil",))
    assert environments.ensure(recipe).packages["anvil"] == "2.0"
    write_wheel(wheels, "anvil", "3.0")
    assert environments.ensure(recipe).packages["anvil"] == "2.0"
    environments.lock(recipe, upgrade=True)
    assert environments.ready(recipe) is None
    assert environments.ensure(recipe).packages["anvil"] == "3.0"


def test_a_lock_is_data_with_the_hash_of_every_file(environments: Environments, wheels: Path):
    import hashlib

    environments.lock(Recipe(("tongs",)))
    (path,) = (environments.directory / "locks").glob("*.json")
    data = json.loads(path.read_text())
    assert data["packages"][1] == {
        "name": "tongs", "version": "0.5", "sha256": [hashlib.sha256((wheels / "tongs-0.5-py3-none-any.whl").read_bytes()).hexdigest()],
    }  # fmt: skip
    assert data["tag"] == interpreters.host().tag
    assert str(wheels) not in path.read_text(), "it says what, not from where"
