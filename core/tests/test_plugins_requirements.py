from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.plugins import entry_points as scan
from tunesmith.plugins.records import EnvironmentSpec, Plugin
from tunesmith.plugins.requirements import Installed, fingerprint, missing, missing_error, place
from tunesmith_sdk.distributions.written_plugins import write_distribution

NOT_HERE = "nowhere>=1; python_version < '3'"


@pytest.fixture
def installed(tmp_path: Path):
    def make(**distributions: tuple[str, list[str]]) -> Installed:
        for folder in tmp_path.iterdir():
            (folder / "METADATA").unlink()
            folder.rmdir()
        for name, (version, requires) in distributions.items():
            write_distribution(tmp_path, name.replace("_", "-"), version, requires=requires)
        return Installed(scan.distributions([str(tmp_path)]))

    return make


def plugin(*runtime: str) -> Plugin:
    return Plugin("acme-tilt", "1.0", "acme_tilt.plugin", runtime=runtime)


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("heavy", True),
        ("Heavy_", False),
        ("heavy>=2,<3", True),
        ("heavy==2.13.0", True),
        ("heavy==2.13.0+cpu", True),
        ("heavy>=3", False),
        ("heavy!=2.13.0", False),
        ("gone", False),
        ("gone; python_version < '3'", True),
        ("heavy[fast]>=2", False),
        ("heavy[slow]", True),
        ("not a requirement !", True),
    ],
)
def test_a_requirement_is_met_as_installers_would_say(wanted: str, there: bool, installed):
    environment = installed(heavy=("2.13.0+cpu", ["base; extra == 'slow'", "gone>=1; extra == 'fast'", NOT_HERE]), base=("1", []))
    assert (missing(plugin(wanted), environment) == {}) is there


def test_what_is_missed_of_an_extra_is_told_as_one_installs_it(installed):
    environment = installed(heavy=("2", ["gone>=1; extra == 'fast'", "base[all]<3; extra == 'fast'"]), base=("3", []))
    assert missing(plugin("heavy[fast]"), environment) == {"": ("gone>=1", "base[all]<3 (3 is installed)")}


def test_what_a_plugin_needs_beside_its_runtime_is_missed_too_but_not_the_kernel(installed):
    environment = installed(acme_tilt=("1.0", ["tunesmith-core>=99", "acme-base>=2", "odd; extra == 'runtime'"]), acme_base=("1.0", []))
    assert missing(plugin(), environment) == {"": ("acme-base>=2 (1.0 is installed)",)}


def test_what_a_runtime_requires_in_turn_is_not_second_guessed(installed):
    assert missing(plugin("heavy"), installed(heavy=("2", ["gone>=1"]))) == {}


def test_the_fingerprint_follows_every_version_below_the_plugin_and_nothing_else(installed):
    def print_of(base: str = "1", heavy: str = "2", other: str = "1", kernel: str = "1") -> str:
        distributions = {"heavy": (heavy, ["base", "heavy[x]", "tunesmith-core"]), "base": (base, ["heavy"])}
        return fingerprint(plugin("heavy"), installed(**distributions, other=(other, []), tunesmith=(kernel, ["other"])))

    same = print_of()
    assert same == print_of() == print_of(other="2") == print_of(kernel="2")
    assert len({same, print_of(base="2"), print_of(heavy="3")}) == 3


def test_what_discovery_has_found_out_is_not_found_out_again():
    known = Plugin("acme-tilt", "1.0", "acme_tilt.plugin", runtime=("gone",), missing={"": ("gone",)}, fingerprint="abc")
    assert (missing(known), fingerprint(known)) == ({"": ("gone",)}, "abc")


def test_the_error_of_a_missing_runtime_gives_the_command():
    error = missing_error(Plugin("acme-tilt", "1.0", "m", runtime=("gone",), missing={"": ("gone>=1",)}, fingerprint="f"))
    assert (error.code, error.fix) == ("TS-PLUGIN-010", "pip install 'acme-tilt[runtime]'")
    assert "gone>=1" in error.what


def test_an_author_who_changes_code_in_place_is_not_answered_from_the_cache(tmp_path: Path):
    (tmp_path / "code.py").write_text("1")
    known = Plugin("acme-tilt", "1.0", "m", path=tmp_path / "plugin.toml", fingerprint="abc")
    editable = replace(known, editable=True)
    before = fingerprint(editable)
    assert before == fingerprint(editable) != fingerprint(known) == "abc"
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "code.pyc").write_text("1")
    assert fingerprint(editable) == before
    (tmp_path / "code.py").write_text("2")
    assert fingerprint(editable) != before


def test_what_a_device_asks_for_on_top_is_told_by_device(installed):
    wanted = EnvironmentSpec(runtime={"abacus": ("beads>=3",), "cpu": ("heavy",)})
    found = missing(replace(plugin(), environment_spec=wanted), installed(beads=("2", []), heavy=("1", [])))
    assert found == {"abacus": ("beads>=3 (2 is installed)",)}


def test_what_must_be_absent_keeps_a_plugin_out_of_an_environment_that_has_it(installed):
    wanted = EnvironmentSpec(absent=("heavy",), without_dependencies=("gone==1",))
    assert missing(replace(plugin(), environment_spec=wanted), installed(heavy=("2", []))) == {"": ("gone==1", "no heavy (2 is installed)")}


@pytest.mark.parametrize(
    ("environment_spec", "found", "where"),
    [
        ({}, {}, "host"),
        ({}, {"": ("gone",)}, "isolated"),
        ({"prefer": "isolated"}, {}, "isolated"),
        ({"prefer": "host"}, {"": ("gone",)}, "host"),
        ({"runtime": {"cpu": ("gone",), "abacus": ("beads",)}}, {"cpu": ("gone",)}, "host"),
        ({"runtime": {"cpu": ("gone",)}}, {"cpu": ("gone",)}, "isolated"),
    ],
)
def test_a_plugin_runs_in_the_host_s_environment_if_that_has_what_it_needs_and_it_wants_to(environment_spec, found, where):
    known = replace(plugin(), environment_spec=EnvironmentSpec(**environment_spec), missing=found, fingerprint="f")
    assert place(known) == where
