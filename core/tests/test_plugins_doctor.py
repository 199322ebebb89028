"""`tunesmith plugin doctor`: each way in which a plugin can be not active is told with what fixes it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import packaging.requirements  # noqa: F401  the tests below take site-packages off the path
import pytest

from tunesmith.plugins.records import Plugin
from tunesmith_cli.commands.plugin_doctor import COMMAND
from tunesmith_sdk.distributions.written_plugins import record, write_plugin
from tunesmith_sdk.manifest.text import manifest_of

TILT = {"kind": "adapter", "name": "tilt"}
FINE = "x = 1\n"
Told = dict[str, dict]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions beside the kernel, and nothing else."""
    folder = tmp_path / "site"
    folder.mkdir()
    library = os.path.dirname(os.__file__)
    monkeypatch.setattr(sys, "path", [str(folder), *(p for p in sys.path if p.startswith(library) and "site-" not in p)])
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def doctor(site: Path, capsys: pytest.CaptureFixture) -> Callable[..., tuple[int, Told]]:
    """``doctor(config)``: the exit status, and what is told, by subject."""

    def see(config: str = "", *names: str) -> tuple[int, Told]:
        Path("tunesmith.toml").write_text(config)
        parser = argparse.ArgumentParser()
        COMMAND.configure(parser)
        status = COMMAND.run(parser.parse_args([*names, "--json"]))
        return status, {entry["subject"]: entry for entry in json.loads(capsys.readouterr().out)}

    return see


def manifest(**more: object) -> str:
    return manifest_of(Plugin("acme-tilt", "1.0", "acme_tilt.plugin", (record("acme-tilt", **TILT),), **more))


def test_all_is_well(site: Path, doctor, capsys: pytest.CaptureFixture):
    write_plugin(site, "acme-tilt", providers=[TILT], code=FINE)
    assert doctor() == (0, {})
    assert COMMAND.run(argparse.Namespace(names=[], json=False)) == 0
    assert capsys.readouterr().out == "2 plugins, all active; each can be imported.\n"
    assert COMMAND.run(argparse.Namespace(names=["ACME_tilt"], json=False)) == 0
    assert capsys.readouterr().out == "acme-tilt: active, and can be imported\n"


BROKEN = {
    "no manifest": ({"manifest": ""}, "it has no manifest at", "pip install --upgrade --force-reinstall"),
    "no TOML": ({"manifest": "x ="}, "is not valid TOML", "tunesmith plugin sync"),
    "no manifest's content": ({"manifest": "x = 1"}, "is no plugin manifest", "tunesmith plugin sync"),
    "a newer layout": ({"manifest": "manifest = 99"}, "has layout 99", "pip install --upgrade tunesmith-core"),
    "another module's": ({"manifest": manifest().replace("acme_tilt", "other")}, "is not the manifest of acme_tilt.plugin", "sync"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_manifest_that_cannot_be_used(case: str, site: Path, doctor):
    more, said, fix = BROKEN[case]
    write_plugin(site, "acme-tilt", code=FINE, **more)
    status, told = doctor()
    assert (status, told["acme-tilt"]["state"]) == (1, "broken")
    assert said in told["acme-tilt"]["what"]
    assert fix in told["acme-tilt"]["fix"]


def test_a_package_that_is_gone(site: Path, doctor):
    path = write_plugin(site, "acme-tilt", providers=[TILT])
    for file in [*path.parent.iterdir()]:
        file.unlink()
    path.parent.rmdir()
    status, told = doctor()
    assert status == 1
    assert "its package `acme_tilt` can't be found" in told["acme-tilt"]["what"]
    assert told["acme-tilt"]["fix"] == "pip install --force-reinstall --no-deps acme-tilt"


def test_an_entry_point_to_a_module_that_is_not_there(site: Path, doctor):
    path = write_plugin(site, "acme-tilt", manifest="")
    path.with_name("plugin.py").unlink()
    _, told = doctor()
    assert told["acme-tilt"]["what"].startswith("broken: its entry point names acme_tilt.plugin, and there is no such module in ")
    assert "sync" not in told["acme-tilt"]["fix"], "that can't write a module"
    assert "tell its author" in told["acme-tilt"]["fix"]


def test_a_class_that_is_not_there_is_told_without_importing_what_would_need_it(site: Path, doctor):
    path = write_plugin(site, "acme-tilt", providers=[TILT], code=FINE)
    path.with_name("provider.py").write_text("import not_here\n\nclass Provder: ...\n")
    status, told = doctor()
    assert status == 1
    assert "the adapter `tilt` names acme_tilt.provider:Provider: " in told["acme-tilt"]["what"]
    assert "defines no Provider" in told["acme-tilt"]["what"]
    assert told["acme-tilt"]["fix"] == "pip install --upgrade acme-tilt; if it is the same then, tell its author"


@pytest.mark.parametrize("content", [b"class Provder(:", b"\xff\xfe", b"\0"])
def test_a_module_that_is_no_python_is_told_and_breaks_nothing(content: bytes, site: Path, doctor):
    path = write_plugin(site, "acme-tilt", providers=[TILT], code=FINE)
    path.with_name("provider.py").write_bytes(content)
    status, told = doctor()
    assert status == 1
    assert "provider.py is no Python: " in told["acme-tilt"]["what"]


def test_a_manifest_of_another_version_is_stale(site: Path, doctor):
    write_plugin(site, "acme-tilt", "2.0", manifest=manifest(), code=FINE)
    status, told = doctor()
    assert (status, told["acme-tilt"]["state"]) == (1, "active")
    assert "its manifest is of version 1.0, installed is 2.0" in told["acme-tilt"]["what"]


CODE = """
from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl

@hookimpl
def executor():
    return Provider("dice", "{summary}", "acme_tilt.provider:Provider")
"""
PROJECT = """
[project]
name = "acme-tilt"
version = "1.0"
[project.entry-points."tunesmith.plugins"]
tilt = "acme_tilt.plugin"
"""


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[plugins]\ndeny = ["acme-*"]', "denied by `acme-*` in"),
        ('[plugins]\nallow = ["tunesmith-*"]', "not among the allowed plugins in"),
        (f'[plugins]\nallow = ["acme-tilt@sha256:{"0" * 64}"]', "its code is sha256:"),
    ],
)
def test_what_policy_forbids_is_no_fault_unless_it_is_required(config: str, said: str, site: Path, doctor):
    write_plugin(site, "acme-tilt", providers=[TILT])
    status, told = doctor(config)
    assert (status, told["acme-tilt"]["state"], told["acme-tilt"]["serious"]) == (0, "denied", False)
    assert said in told["acme-tilt"]["what"]
    assert "[plugins]" in told["acme-tilt"]["fix"]
    status, told = doctor(config.replace("[plugins]", '[plugins]\nrequire = ["acme-tilt"]'))
    assert status == 1
    assert "TS-PLUGIN-022: acme-tilt is required, and denied" in told["configuration"]["what"]


def test_a_configuration_that_cannot_be_read(site: Path, doctor):
    status, told = doctor("[plugins]\ndney = []")
    assert status == 1
    assert "Did you mean `deny`" in told["configuration"]["what"]


def test_a_name_that_two_bring_and_one_that_is_given_away(site: Path, doctor):
    for name in ("acme-tilt", "fork-tilt"):
        write_plugin(site, name, providers=[TILT], code=FINE)
    status, told = doctor()
    assert (status, told["acme-tilt"]["state"]) == (1, "duplicate")
    assert '"adapter.tilt" = "acme-tilt"' in told["acme-tilt"]["fix"]
    status, told = doctor('[plugins.override]\n"adapter.tilt" = "fork-tilt"')
    assert (status, told["acme-tilt"]["state"], "fork-tilt" in told) == (0, "overridden", False)


def test_an_override_that_names_nobody(site: Path, doctor):
    status, told = doctor('[plugins.override]\n"adapter.tilt" = "fork-tilt"')
    assert status == 1
    assert "fork-tilt is not installed" in told["configuration"]["what"]


@pytest.mark.parametrize(
    ("fields", "said", "fix"),
    [
        ({"kind": "adapter", "api": 9}, "speaks version 9 of the adapter contract", "pip install --upgrade tunesmith-core"),
        (
            {"kind": "poet"},
            "nothing that is installed brings that kind",
            "Install the plugin that brings the kind poet: the page of acme-tilt should name it.",
        ),
    ],
)
def test_a_contract_that_this_kernel_does_not_speak(fields: dict, said: str, fix: str, site: Path, doctor):
    write_plugin(site, "acme-tilt", providers=[{"name": "tilt", **fields}])
    status, told = doctor()
    assert (status, told["acme-tilt"]["state"]) == (1, "incompatible")
    assert told["acme-tilt"]["fix"].startswith(fix)
    assert said in told["acme-tilt"]["what"]


def test_a_newer_kernel_is_required(site: Path, doctor):
    write_plugin(site, "acme-tilt", providers=[TILT], requires=["tunesmith-core>=9"])
    status, told = doctor()
    assert (status, told["acme-tilt"]["state"], told["acme-tilt"]["fix"]) == (1, "incompatible", "pip install 'tunesmith-core>=9'")


@pytest.mark.parametrize(("code", "said"), [("import not_here\n", "'not_here'"), ("import os; os._exit(7)\n", "status 7")])
def test_a_module_that_cannot_be_imported(code: str, said: str, site: Path, doctor):
    write_plugin(site, "acme-tilt", providers=[TILT], code=code)
    status, told = doctor()
    assert status == 1
    assert said in told["acme-tilt"]["what"]
    assert "pip install --force-reinstall acme-tilt" in told["acme-tilt"]["fix"]


def test_what_is_required_and_not_there(site: Path, doctor):
    status, told = doctor('[plugins]\nrequire = ["acme-gate==1.*"]')
    assert (status, told["configuration"]["fix"]) == (1, "pip install 'acme-gate==1.*'")


def test_only_those_that_are_named(site: Path, doctor):
    write_plugin(site, "acme-bad", providers=[TILT], code="import not_here\n")
    write_plugin(site, "acme-good", providers=[{"kind": "adapter", "name": "good"}], code=FINE)
    assert doctor("", "acme-good") == (0, {})
    assert list(doctor("", "acme-bad")[1]) == ["acme-bad"]
