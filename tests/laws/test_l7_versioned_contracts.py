"""L7: contracts are versioned. N and N-1 are taken, others refused loudly, and what plugins rely on only ever grows.

`contracts.json` beside this file holds the contracts as they were last agreed. After a change that the tests below allow, write it anew:
``python tests/laws/test_l7_versioned_contracts.py``. A change that they don't allow needs another number in
`tunesmith.contracts.provider.API`, and an entry in `tunesmith.deprecations.PREVIOUS_API`.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tunesmith import hookspecs
from tunesmith.contracts import provider
from tunesmith.contracts.provider import API
from tunesmith.errors import UserError
from tunesmith.plugins.manifest import read_manifest
from tunesmith.plugins.manifest_schema import VERSION
from tunesmith.plugins.records import EnvironmentSpec
from tunesmith_sdk.manifest.source import Source
from tunesmith_sdk.manifest.sync import described

AGREED = Path(__file__).with_name("contracts.json")
HOOKS = (*hookspecs.REGISTRATION, *hookspecs.EVENTS, "cli_commands", "ui_pages")
KINDS = sorted(set(API) - {"verb"})  # a verb's contract is the record, and `Step`


def parameters(function: Any) -> list[str]:
    """Names of the parameters without `self`; those that need not be given end in ``=``."""
    found = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    return [parameter.name + ("" if parameter.default is parameter.empty else "=") for parameter in found]


def methods(cls: type) -> dict[str, list[str]]:
    return {name: parameters(value) for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")}


def fields(cls: type) -> list[str]:
    missing = dataclasses.MISSING
    return [f.name + ("=" if f.default is not missing or f.default_factory is not missing else "") for f in dataclasses.fields(cls)]


def protocol(kind: str) -> type:
    name = "".join(word.title() for word in kind.split("_"))
    return getattr(importlib.import_module(f"tunesmith.contracts.kinds.{kind}"), name)


def contracts() -> dict[str, Any]:
    from tunesmith.contracts.step import Step

    return {
        "hooks": {name: parameters(getattr(hookspecs, name)) for name in HOOKS},
        "records": {name: fields(getattr(provider, name)) for name in ("Provider", "Verb", "Need", "Slot", "Input")},
        "step": methods(Step),
        "kinds": {kind: {"api": API[kind], "methods": methods(protocol(kind))} for kind in KINDS},
    }


def agreed() -> dict[str, Any]:
    return json.loads(AGREED.read_text())


def test_every_kind_has_a_contract_a_number_and_a_hook():
    assert set(API) == set(hookspecs.REGISTRATION)
    assert all(protocol(kind).__doc__ or methods(protocol(kind)) for kind in KINDS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hooks_arguments_are_only_ever_added(hook: str):
    before, now = agreed()["hooks"].get(hook, []), contracts()["hooks"][hook]
    assert now[: len(before)] == before


def test_no_hook_goes_away():
    assert set(agreed()["hooks"]) <= set(HOOKS)


@pytest.mark.parametrize("record", ["Provider", "Verb", "Need", "Slot", "Input"])
def test_a_record_that_could_be_made_can_still_be_made(record: str):
    before, now = agreed()["records"][record], contracts()["records"][record]
    assert set(before) <= set(now)
    assert all(name.endswith("=") for name in set(now) - set(before)), "a new field needs a default"
    assert [name for name in now if name in before] == before


def test_what_a_step_offers_only_grows():
    before, now = agreed()["step"], contracts()["step"]
    assert all(now[name][: len(arguments)] == arguments for name, arguments in before.items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_contract_has_another_number(kind: str):
    before, now = agreed()["kinds"][kind], contracts()["kinds"][kind]
    if before["methods"] != now["methods"]:
        assert now["api"] == before["api"] + 1, f"the contract of {kind} has changed: raise its number in contracts/provider.py"
    assert now["api"] in (before["api"], before["api"] + 1)


def test_a_hook_that_takes_fewer_arguments_than_there_are_goes_on_working(tmp_path: Path):
    (tmp_path / "acme_old").mkdir()
    (tmp_path / "acme_old" / "__init__.py").touch()
    code = "from tunesmith.hookspecs import hookimpl\n\n@hookimpl\ndef artifact_committed(step): ...\n\n@hookimpl\ndef step_failed(): ...\n"
    (tmp_path / "acme_old" / "plugin.py").write_text(code)
    source = Source(tmp_path, tmp_path, "acme-old", "1.0", "acme_old.plugin", (), EnvironmentSpec(), (), "hatchling.build")
    assert described(source).events == ("step_failed", "artifact_committed")


def test_the_version_before_is_taken_with_a_warning_that_says_until_when_others_are_refused(tmp_path: Path):
    from tunesmith_sdk.distributions.written_plugins import write_environment, write_plugin

    python, site = write_environment(tmp_path / "env")
    for name, api in (("acme-before", API["exporter"] - 1), ("acme-now", API["exporter"]), ("acme-next", API["exporter"] + 1)):
        write_plugin(site, name, providers=[{"kind": "exporter", "name": name, "api": api}])
    variables = {"TUNESMITH_CACHE": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": ""}
    command = [str(python), "-m", "tunesmith_cli", "plugin", "list", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=True)
    states = {plugin["distribution"]: plugin["state"] for plugin in json.loads(done.stdout)}
    assert states == {"tunesmith-core": "active", "acme-before": "active", "acme-now": "active", "acme-next": "incompatible"}
    told = subprocess.run(command[:-1], cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=True).stderr
    assert "acme-before speaks version 0 of the exporter contract" in told
    assert "stops taking it" in told
    assert "pip install --upgrade tunesmith" in told


#: As `plugin sync` of 0.1.0 wrote it, before plugins had anything to say of environments; `whistles` is of no kernel.
OLD_MANIFEST = """
manifest = 1
distribution = "acme-before"
version = "0.9"
module = "acme_before.plugin"
runtime = ["heavy>=2"]
whistles = true

[[providers]]
kind = "exporter"
name = "card"
summary = "a page about the model"
target = "acme_before.exporter:Card"
api = 0
accepts = ["model/*"]
produces = ["document/card"]
bells = 3

[[providers.needs]]
of = "device_backend"
capability = "ink"
why = "it prints"
"""


def test_a_manifest_as_it_was_first_written_goes_on_being_read(tmp_path: Path):
    path = tmp_path / "plugin.toml"
    path.write_text(OLD_MANIFEST)
    plugin = read_manifest(path)
    (exporter,) = plugin.providers
    assert (plugin.runtime, plugin.environment_spec) == (("heavy>=2",), EnvironmentSpec())
    assert (exporter.api, exporter.accepts, exporter.produces) == (0, ("model/*",), ("document/card",))
    assert exporter.needs == (provider.Need("device_backend", "ink", "it prints"),)


def test_layouts_of_manifests_from_the_first_on_are_read_and_later_ones_refused(tmp_path: Path):
    path = tmp_path / "plugin.toml"
    for layout in range(1, VERSION + 1):
        path.write_text(OLD_MANIFEST.replace("manifest = 1", f"manifest = {layout}"))
        assert read_manifest(path).distribution == "acme-before"
    path.write_text(OLD_MANIFEST.replace("manifest = 1", f"manifest = {VERSION + 1}"))
    with pytest.raises(UserError, match="TS-PLUGIN-004") as refused:
        read_manifest(path)
    assert refused.value.fix == "Install a newer tunesmith."


OLD_CODE = """
from tunesmith.contracts import ModelInfo


class Shelf:
    def resolve(self, uri, step):
        return ModelInfo(uri, "1", "model/hf")

    def fetch(self, info, output, step):
        (output / "model").write_text(info.uri)


class Card:
    def export(self, model, output, step):
        (output / "card.txt").write_text((model.path / "model").read_text())
"""


def test_a_plugin_of_the_version_before_is_planned_and_run(tmp_path: Path):
    from tunesmith_sdk.distributions.written_plugins import write_environment, write_plugin

    python, site = write_environment(tmp_path / "env")
    manifest = OLD_MANIFEST.partition("[[providers.needs]]")[0].replace('runtime = ["heavy>=2"]', "")
    manifest += """
[[providers]]
kind = "model_loader"
name = "shelf"
summary = "models on the shelf"
target = "acme_before.exporter:Shelf"
api = 0
produces = ["model/hf"]
facts = {schemes = ["shelf"]}
"""
    write_plugin(site, "acme-before", manifest=manifest)
    (site / "acme_before" / "exporter.py").write_text(OLD_CODE)
    (tmp_path / "tunesmith.yaml").write_text("name: old\nmodel: shelf://a\nsteps:\n  card: {export: card}\n")
    variables = {"TUNESMITH_CACHE": str(tmp_path / "cache"), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": ""}
    command = [str(python), "-m", "tunesmith_cli", "run", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.read_text() for path in tmp_path.glob(".tunesmith/store/*/*/files/card.txt")] == ["shelf://a"]


if __name__ == "__main__":
    AGREED.write_text(json.dumps(contracts(), indent=1, sort_keys=True) + "\n")
    sys.exit()
