"""`tunesmith plugin doctor` of plugins that run in isolated environments, made of tiny wheels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith_environments.manager import Environments
from tunesmith_sdk.distributions.wheels import write_wheel
from tunesmith_sdk.distributions.written_plugins import write_distribution, write_plugin

FORGE = {"kind": "quantizer", "name": "forge"}


@pytest.fixture
def forge(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A world with a plugin that needs `anvil` 1.6, of which 1.5 is installed here, and wheels to make its environment of."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("pluggy", "anvil"):
        write_wheel(wheels, name, "1.6")
    write_distribution(world.site, "anvil", "1.5")
    write_plugin(world.site, "acme-forge", providers=[FORGE], runtime=["anvil>=1.6"], code="x = 1\n")
    monkeypatch.setenv("PYTHONPATH", str(world.site))
    world.environments = Environments(tmp_path / "cache" / "environments", offline=True, find_links=[wheels])
    return world


def seen(world: Any, status: int) -> dict[str, Any]:
    told = world("plugin", "doctor", "acme-forge", "--json")
    assert told.status == status, told.out
    (one,) = told.json
    return one


def test_what_the_host_contradicts_is_named_and_how_to_build_what_is_not_built(forge: Any):
    one = seen(forge, 0)
    assert "anvil>=1.6 (1.5 is installed)" in one["what"]
    assert "not built yet" in one["what"]
    assert one["fix"].startswith("tunesmith env build acme-forge")


def test_one_that_is_built_is_well(forge: Any):
    built = forge.environments.ensure(Recipe(("anvil>=1.6",), plugins=("acme-forge",)))
    one = seen(forge, 0)
    assert f"it is built and well ({built.key[:8]})" in one["what"]


def test_one_for_what_it_required_before_does_not_count(forge: Any):
    forge.environments.ensure(Recipe(("anvil",), plugins=("acme-forge",)))
    assert "not built yet" in seen(forge, 0)["what"]


def test_one_that_is_damaged_is_a_fault(forge: Any):
    built = forge.environments.ensure(Recipe(("anvil>=1.6",), plugins=("acme-forge",)))
    (built.site / "anvil" / "__init__.py").unlink()
    one = seen(forge, 1)
    assert "; it is damaged: " in one["what"]
    assert one["fix"].startswith(f"tunesmith env check {built.key[:8]}")


def test_one_that_may_not_be_isolated_and_lacks_something_is_a_fault(forge: Any):
    forge.write("tunesmith.toml", '[environments.plugins]\n"acme-forge" = "host"\n')
    one = seen(forge, 1)
    assert "TS-PLUGIN-010" in one["what"]
    assert "pip install 'acme-forge[runtime]'" in one["fix"]
    assert '"acme-forge" = "isolated"' in one["fix"]


def test_a_python_that_is_not_here_is_a_fault(forge: Any):
    path = forge.site / "acme_forge" / "plugin.toml"
    path.write_text(
        path.read_text().replace("[[providers]]", '[environment]\nprefer = "isolated"\npython = "<3.10,>=3.99"\n\n[[providers]]')
    )
    one = seen(forge, 1)
    assert "no Python <3.10,>=3.99 is on this machine" in one["what"]
    assert "its manifest says so" in one["what"]
