"""Good minimal plugins of every kind, and the same with one thing wrong: what the kit is tried on."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from tunesmith.config import load_config
from tunesmith_sdk.conformance import conform, plugin_kinds
from tunesmith_sdk.conformance.bench.request import Request
from tunesmith_sdk.conformance.bench.subject import Subject
from tunesmith_sdk.conformance.bench.worker import outcome_of
from tunesmith_sdk.conformance.examination import Examination
from tunesmith_sdk.conformance.materials.materials import Materials
from tunesmith_sdk.local_step import LocalStep
from tunesmith_sdk.manifest.source import read_source
from tunesmith_sdk.manifest.sync import sync

GOOD = Path(__file__).parent / "good"

#: kind -> what its record says, as source
RECORDS = {
    "adapter": 'accepts=("model/hf",), produces=("adapter/tilt",), capabilities={"merge": "full", "reference": "full"}, '
    'estimator="PACKAGE.estimate:estimate"',
    "objective": 'accepts=("dataset/chat",)',
    "exporter": 'accepts=("model/hf",), produces=("model/hf",), capabilities={"lossless": "full"}',
    "quantizer": 'accepts=("model/hf",), produces=("model/half",), facts={"calibration": True}',
    "evaluator": 'accepts=("endpoint/openai",), facts={"metrics": {"share": {"better": "higher"}}}',
    "dataset_format": 'produces=("dataset/chat",), facts={"row": {"type": "object", "required": ["question", "answer"], '
    '"properties": {"question": {"type": "string"}, "answer": {"type": "string"}}}}',
    "device_backend": 'facts={"torch": "cpu"}',
    "executor": "",
    "environment_builder": "",
    "input_reader": 'produces=("file",)',
    "model_loader": 'produces=("model/hf",), facts={"schemes": ["file"]}',
    "trainer_strategy": "",
    "tracker": "",
    "optimizer": 'estimator="PACKAGE.estimate:estimate"',
    "inference_backend": 'accepts=("model/hf",), produces=("endpoint/openai",), capabilities={name: "full" for name in '
    '("api.chat", "api.completions", "api.stream", "api.logprobs", "api.echo")}',
    "verb": 'inputs=(Input("model", "what to stamp", accepts=("model/hf",)),), produces=("document/stamp",)',
}

#: kind -> the settings of its good plugin, as source
SETTINGS = {
    "optimizer": """@dataclass(frozen=True)
class Settings:
    weight_decay: float = setting(0.0, "how much", ge=0)
""",
}

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

#: kinds whose good plugins need torch
HEAVY = ("adapter", "objective", "optimizer", "quantizer", "trainer_strategy")


def write(
    folder: Path, kind: str, *changes: tuple[str, str], table: str = "", settings: str = "", good: str = "", record: str = ""
) -> Path:
    """A plugin's source folder, its manifest written; each change replaces some text of its code or its record.

    Args:
        table: more of its pyproject.toml.
        settings: a settings dataclass named Settings, as source, if not the kind's own.
        good: file of the good plugin, if not the one called as the kind.
        record: what its record says, if not what those of the kind do.
    """
    package = f"acme_{kind}"
    code, record = (GOOD / f"{good or kind}.py").read_text(), record or RECORDS[kind]
    settings = settings or SETTINGS.get(kind, "")
    if settings:
        record = ", ".join(filter(None, [record, "settings=Settings"]))
    if settings and "settings" not in code.partition("def estimate")[0] and kind != "verb":
        code = code.replace("class Provider:\n", "class Provider:\n    def __init__(self, settings):\n        pass\n\n", 1)
    for old, new in changes:
        assert (old in code) + (old in record) == 1, f"{old!r} should be in the code or in the record"
        code, record = code.replace(old, new, 1), record.replace(old, new, 1)
    verb = kind == "verb"
    words = {
        "SETTINGS": settings, "KIND": kind, "CLASS": "Verb" if verb else "Provider", "TARGET": "run" if verb else "Provider",
        "RECORD": record, "PACKAGE": package, "NAME": package.replace("_", "-"), "TABLE": table,
        "RUNTIME": '"torch"' if kind in HEAVY else "",
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


def _filled(text: str, words: dict[str, str]) -> str:
    for word in ("RECORD", *words):
        text = text.replace(word, words[word])
    return text


def failed(folder: Path, *only: str, **options: Any) -> set[str]:
    """Ids of the checks that a plugin does not pass; nothing may be left out but what is named so."""
    report = conform(folder, only=only, **options)
    return {outcome.check for outcome in report.outcomes if not outcome.ok}


def failed_here(folder: Path, scratch: Path) -> set[str]:
    """The same of the checks that workers make, in this process, where libraries that take seconds to import are there already."""
    examination = Examination(read_source(folder)[0])
    (record,) = examination.plugin.providers
    materials = Materials(load_config().cache, scratch, examination.declared.author)
    found = {name: materials.get(name) for name in ("taught", "blank", "rows")} | materials.source(record, {})
    values = examination.declared.settings.get(f"{record.kind}.{record.name}", {})
    kind = plugin_kinds.all_kinds().get(record.kind)
    request = Request(
        dataclasses.asdict(record),
        dataclasses.asdict(kind) if kind else {},
        values=values,
        materials=found,
        author=examination.declared.author,
    )
    subject = Subject(LocalStep.make(scratch / "step", settings=request, seed=1), request)
    root = str(examination.source.root)
    sys.path.insert(0, root)
    try:
        ids = [planned.check.id for planned in examination.planned if planned.check.at == "worker"]
        return {id for id in ids if outcome_of(subject, id)["state"] == "failed"}
    finally:
        sys.path.remove(root)
        for name in [name for name in sys.modules if name.partition(".")[0] == examination.source.package]:
            del sys.modules[name]
