"""`[plugins] require`: what is named is at work, or nothing is planned or run."""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path

import pytest

import tunesmith
from tunesmith.errors import Problems, UserError
from tunesmith.plugins.records import Plugin
from tunesmith.plugins.required_plugins import check_required
from tunesmith_sdk.distributions.written_plugins import write_plugin

GATE = """
from tunesmith.hookspecs import hookimpl

@hookimpl
def step_starting(step):
    pass
"""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """``gate(code)``: a plugin with that module, which listens to `step_starting`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(code: str = GATE, **more) -> Plugin:
        module = f"acme_gate_{abs(hash(request.node.name))}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        return Plugin("acme-gate", "1.2.3", module, events=("step_starting",), **more)

    return make


def refused(required: str, *plugins: Plugin) -> UserError:
    with pytest.raises(UserError) as error:
        check_required([required], plugins)
    assert "acme-gate" in error.value.what
    assert error.value.fix
    return error.value


@pytest.mark.parametrize("entry", ["acme-gate", "Acme_Gate", "acme-gate==1.2.*", "acme-gate==1.2.3"])
def test_what_is_there_and_listens_is_enough(entry: str, gate):
    check_required([entry], [gate()])


def test_nothing_is_imported_of_what_is_not_required(gate):
    check_required([], [gate("raise AssertionError")])
    check_required(["other"], [gate("raise AssertionError"), Plugin("other", "1", "json")])


def test_what_is_not_installed_is_missed():
    error = refused("acme-gate==1.*")
    assert (error.code, error.fix) == ("TS-PLUGIN-022", "pip install 'acme-gate==1.*'")


def test_another_version_is_not_enough(gate):
    assert "here is 1.2.3" in refused("acme-gate==2.*", gate()).what


@pytest.mark.parametrize("state", ["denied", "broken", "incompatible", "duplicate", "overridden"])
def test_what_is_not_active_is_refused_with_the_reason(state: str, gate):
    error = refused("acme-gate", gate(state=state, reason="because"))
    assert (error.code, error.why) == ("TS-PLUGIN-022", "because")
    assert state in error.what


DEAF = {
    "cannot be imported": ("import acme_not_here", "No module named 'acme_not_here'"),
    "lost its hook": ("x = 1", "step_starting"),
    "takes what there is not": (GATE.replace("(step)", "(surprise)"), "surprise"),
}


@pytest.mark.parametrize("case", DEAF)
def test_what_cannot_listen_is_refused(case: str, gate):
    code, said = DEAF[case]
    error = refused("acme-gate", gate(code))
    assert error.code == "TS-PLUGIN-023"
    assert said in error.why


def test_a_hook_that_its_manifest_is_silent_of_is_refused(gate):
    error = refused("acme-gate", dataclasses.replace(gate(), events=()))
    assert error.code == "TS-PLUGIN-023"
    assert "its manifest does not name step_starting" in error.why


def test_an_entry_point_may_name_an_object_in_a_module(gate):
    code = "import sys\nhooks = sys.modules[__name__]\n" + GATE
    check_required(["acme-gate"], [dataclasses.replace(plugin := gate(code), module=f"{plugin.module}:hooks")])


def test_all_that_is_missing_is_told_at_once(gate):
    with pytest.raises(Problems) as error:
        check_required(["acme-gate", "acme-policy"], [gate("import acme_not_here")])
    assert {problem.code for problem in error.value.problems} == {"TS-PLUGIN-022", "TS-PLUGIN-023"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that requires acme-gate, which is installed with a module that can't be imported."""
    write_plugin(tmp_path / "site", "acme-gate", code="import acme_not_here\n", manifest=MANIFEST)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("TUNESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "tunesmith.toml").write_text('[plugins]\nrequire = ["acme-gate"]\n')
    monkeypatch.chdir(folder)
    return folder


MANIFEST = 'manifest = 1\ndistribution = "acme-gate"\nversion = "1.0"\nmodule = "acme_gate.plugin"\nevents = ["step_starting"]\n'


def test_no_plan_is_made_and_no_run_begun_without_it(project: Path):
    pipeline = tunesmith.Pipeline(steps={"a": {"download": "x://y"}})
    for act in (pipeline.plan, pipeline.run):
        with pytest.raises(UserError, match="TS-PLUGIN-023"):
            act()
    assert not (project / ".tunesmith").exists()


def test_the_command_refuses_too(project: Path, capsys: pytest.CaptureFixture):
    from tunesmith_cli.main import main

    (project / "tunesmith.yaml").write_text("name: p\nsteps:\n  a: {download: x://y}\n")
    for words in (["plan"], ["run"]):
        assert main(words) == 2
        assert "TS-PLUGIN-023" in capsys.readouterr().err
