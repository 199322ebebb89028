"""Good minimal plugins of a kind, and the same with one thing wrong: what the checks of a kind are tried on.

Who brings a kind with checks plants a fault for each of them, which the check that is meant for it has to catch, and no other::

    GREETER = GoodPlugin("greeter", Path(__file__).with_name("good_greeter.py").read_text())

    def test_a_greeter_that_names_nobody_is_caught(tmp_path):
        folder = GREETER.write(tmp_path, ('f"Morning, {name}"', '"Morning"'))
        assert failed(folder, "greeter", "provider") == {"greeter.names-the-model"}

    def test_every_check_has_a_fault_that_it_catches():
        assert set(FAULTS) == checks_of("greeter")
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunesmith.config import load_config
from tunesmith_sdk.conformance import catalog, conform, plugin_kinds
from tunesmith_sdk.conformance.bench.request import Request
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.bench.worker import outcome_of
from tunesmith_sdk.conformance.examination import Examination
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.manifest.source import read_source
from tunesmith_sdk.manifest.sync import sync

_PLUGIN = """
from dataclasses import dataclass

from tunesmith.contracts import Input, Need, Provider, Slot, Verb, setting
from tunesmith.hookspecs import hookimpl
SETTINGS

@hookimpl
def KIND():
    return CLASS("tried", "something to try the kit on", "PACKAGE.provider:TARGET", RECORD)
"""

_PYPROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "NAME"
version = "0.1.0"
dependencies = ["tunesmith-core>=0.1"]
[project.optional-dependencies]
runtime = [RUNTIME]
[project.entry-points."tunesmith.plugins"]
tried = "PACKAGE.plugin"
[tool.hatch.build.targets.wheel]
packages = ["src/PACKAGE"]
TABLE
"""


@dataclass(frozen=True)
class GoodPlugin:
    """A plugin with one provider, `tried`, that passes the checks of its kind.

    Args:
        kind: of its provider.
        code: its module: a class `Provider`, of a verb a function `run`. A function `estimate` at its end goes to a module of its own.
        record: further arguments of its record, as source; ``PACKAGE`` stands for its package.
        settings: a dataclass `Settings`, as source, if it has any.
        runtime: libraries that it runs with.
    """

    kind: str
    code: str
    record: str = ""
    settings: str = ""
    runtime: tuple[str, ...] = ()

    def write(self, folder: Path, *changes: tuple[str, str], table: str = "", settings: str = "") -> Path:
        """Its source folder, the manifest written; each change replaces some text of its code or its record.

        Args:
            table: more of its pyproject.toml.
            settings: in place of its own, as source.
        """
        plugin = replace(self, settings=settings) if settings else self
        package, code, record = f"acme_{self.kind}", plugin._code(), ", ".join(filter(None, [self.record, plugin._takes()]))
        for old, new in changes:
            assert (old in code) + (old in record) == 1, f"{old!r} should be in the code or in the record"
            code, record = code.replace(old, new, 1), record.replace(old, new, 1)
        verb = self.kind == "verb"
        words = {
            "RECORD": record, "SETTINGS": plugin.settings, "KIND": self.kind, "CLASS": "Verb" if verb else "Provider",
            "TARGET": "run" if verb else "Provider", "PACKAGE": package, "NAME": package.replace("_", "-"), "TABLE": table,
            "RUNTIME": ", ".join(f'"{name}"' for name in self.runtime),
        }  # fmt: skip
        root = folder / "src" / package
        root.mkdir(parents=True)
        (root / "__init__.py").write_text("")
        (root / "provider.py").write_text(code)
        if "def estimate" in code:
            (root / "estimate.py").write_text(code[code.index("def estimate") :])
        (root / "plugin.py").write_text(_filled(_PLUGIN, words))
        (folder / "pyproject.toml").write_text(_filled(_PYPROJECT, words))
        sync(folder)
        return folder

    def _takes(self) -> str:
        return "settings=Settings" if self.settings else ""

    def _code(self) -> str:
        """With a constructor, where there are settings and its own has none."""
        taken = "def __init__(self, settings" in self.code or self.kind == "verb"
        taking = f"class Provider:\n    def __init__{NOT_KEPT}\n\n"
        return self.code if taken or not self.settings else self.code.replace("class Provider:\n", taking, 1)


NOT_KEPT = "(self, settings):\n        pass"  #: what a good plugin does with settings that it was not written for


def kept(name: str) -> tuple[str, str]:
    """The change by which it keeps one of them in an attribute."""
    return NOT_KEPT, NOT_KEPT.replace("pass", f"self.{name} = settings.{name}")


def _filled(text: str, words: dict[str, str]) -> str:
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def checks_of(kind: str) -> set[str]:
    """Ids of the checks that are of one kind alone."""
    return {id for id, check in catalog.load().items() if check.kind == kind}


def failed(folder: Path, *only: str, **options: Any) -> set[str]:
    """Ids of the checks that a plugin does not pass; nothing may be left out but what is named so."""
    report = conform(folder, only=only, **options)
    return {outcome.check for outcome in report.outcomes if not outcome.ok}


def dead_settings(folder: Path) -> set[str]:
    """Names of the settings in which a change shows nowhere."""
    (outcome,) = conform(folder, only=["settings.alive"]).outcomes
    assert outcome.notes, outcome.said()
    return {name for name, shows in outcome.notes.items() if shows == "dead"}


def failed_here(folder: Path, scratch: Path) -> set[str]:
    """The same as `failed` of the checks that workers make, in this process, where libraries that take seconds to import are there
    already."""
    return {id for id, said in said_here(folder, scratch).items() if said["state"] == "failed"}


def said_here(folder: Path, scratch: Path) -> dict[str, dict[str, Any]]:
    """What comes in this process of the checks of a plugin's one provider that workers make: ``state``, and ``what`` is wrong, by id."""
    examination = Examination(read_source(folder)[0])
    assert examination.plugin is not None
    (record,) = examination.plugin.providers
    ids = [planned.check.id for planned in examination.planned if planned.check.at == "worker"]
    materials = Materials(load_config().cache, scratch, examination.declared.author)
    names = catalog.MATERIALS.get(record.kind, ("rows",))
    found = {name: materials.get(name) for name in names} | materials.source(record, {})
    kind = plugin_kinds.all_kinds().get(record.kind)
    request = Request(
        dataclasses.asdict(record),
        dataclasses.asdict(kind) if kind else {},
        values=examination.declared.settings.get(f"{record.kind}.{record.name}", {}),
        materials=found,
        tolerances=examination.declared.tolerances,
        author=examination.declared.author,
    )
    subject = Subject(LocalStep.make(scratch / "step", settings=request, seed=1), request)
    root, package = str(examination.source.root), examination.source.package
    installed = importlib.util.find_spec(package) is not None  # then others here may have it, and it stays
    sys.path.insert(0, root)
    try:
        return {id: outcome_of(subject, id) for id in ids}
    finally:
        sys.path.remove(root)
        for name in [name for name in sys.modules if not installed and name.partition(".")[0] == package]:
            del sys.modules[name]
