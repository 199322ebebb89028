"""Tests of the kit: faults of a plugin as a whole, of settings and of classes, each caught by the check that is meant for it alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tunesmith_sdk.conformance.mutants import NOT_KEPT

_spec = importlib.util.spec_from_file_location("conformance_mutants", Path(__file__).with_name("mutants.py"))
assert _spec is not None
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)  # type: ignore[union-attr]

SOURCE = ("source", "manifest", "imports", "settings.defaults-fit", "targets", "wheel")
BUILT = ("provider", "settings.round-trip", "settings.bad-refused", "input_reader", "step")
KIND = "input_reader"
SETTINGS = """@dataclass(frozen=True)
class Settings:
    volume: int = setting(3, "how loud", ge=0, le=11)
"""

#: check -> (file, old text, new text), after the manifest was written
FAULTS_OF_SOURCE = {
    "source.describes-itself": ("src/acme_input_reader/plugin.py", "@hookimpl", "import acme_nowhere\n\n@hookimpl"),
    "manifest.equals-code": ("src/acme_input_reader/plugin.py", "something to try the kit on", "something else"),
    "imports.light": ("src/acme_input_reader/plugin.py", "@hookimpl", "import packaging.version\n\n@hookimpl"),
    "settings.defaults-fit": ("src/acme_input_reader/plugin.py", 'setting(3, "how', 'setting(12, "how'),
    "targets.exist": ("src/acme_input_reader/provider.py", "Provider", "Supplier"),
    "wheel.has-manifest": ("pyproject.toml", 'packages = ["src/acme_input_reader"]', 'include = ["src/**/*.py"]'),
}
#: those that the manifest is written after
_SYNCED = ("imports.light", "settings.defaults-fit")

#: check -> (settings, changes of the good input reader)
FAULTS_OF_SETTINGS = {
    "settings.round-trip": (
        SETTINGS + '\n    def __post_init__(self):\n        object.__setattr__(self, "volume", min(self.volume, 10))\n',
        (),
    ),
    "settings.bad-refused": (SETTINGS, ((NOT_KEPT, NOT_KEPT.replace("pass", "range(11)[settings.volume]")),)),
}
FAULTS = {*FAULTS_OF_SOURCE, *FAULTS_OF_SETTINGS}


@pytest.mark.parametrize("check", FAULTS_OF_SOURCE)
def test_a_fault_of_the_source_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    folder = mutants.write(tmp_path, KIND, settings=SETTINGS)
    name, old, new = FAULTS_OF_SOURCE[check]
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    if check in _SYNCED:
        mutants.sync(folder)
    assert mutants.failed(folder, *SOURCE) == {check}


@pytest.mark.parametrize("check", FAULTS_OF_SETTINGS)
def test_a_fault_of_settings_is_caught_by_the_check_that_is_meant_for_it_alone(check: str, tmp_path: Path):
    settings, changes = FAULTS_OF_SETTINGS[check]
    folder = mutants.write(tmp_path, KIND, *changes, settings=settings)
    assert mutants.failed(folder, *BUILT) == {check}
