"""`tunesmith plugin check PATH`: what can be said of a plugin from its source, before anybody installs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tunesmith.contracts.settings import fill, problems
from tunesmith.errors import TunesmithError, each
from tunesmith.plugins.missing_targets import missing
from tunesmith.plugins.records import Plugin
from tunesmith_cli.api import probe
from tunesmith_sdk.manifest.source import Source, read_source
from tunesmith_sdk.manifest.sync import described
from tunesmith_sdk.manifest.text import manifest_of


class Finding(NamedTuple):
    """The outcome of a check: `ok` is None where it could not be made, with the reason."""

    check: str
    ok: bool | None
    what: str
    fix: str = ""


def check(folder: Path) -> list[Finding]:
    """Everything that is checked, for each plugin in a source folder.

    Raises:
        UserError: TS-PLUGIN-007 when it holds none.
    """
    return [finding for source in read_source(folder) for finding in inspect(source)]


def inspect(source: Source, plugin: Plugin | None = None) -> Iterator[Finding]:
    """What can be said of one plugin. A check that finds nothing wrong gives one finding, else one for each fault.

    Args:
        plugin: as its code describes it, where it has been asked before.
    """
    try:
        plugin = plugin or described(source)
    except TunesmithError as error:
        yield from (Finding("source.describes-itself", False, problem.what, problem.fix) for problem in each(error))
        return
    yield Finding("source.describes-itself", True, "its hooks give records")
    yield _manifest(source, plugin)
    for one, (id, sentence) in _PASSED.items():
        yield from list(one(source, plugin)) or [Finding(id, True, sentence)]
    yield _package(source)


def _manifest(source: Source, plugin: Plugin) -> Finding:
    path = source.manifest
    if path.is_file() and path.read_text(encoding="utf-8") == manifest_of(plugin):
        return Finding("manifest.equals-code", True, "it says what the code says")
    return Finding("manifest.equals-code", False, f"{path} does not say what the code says", "Run `tunesmith plugin sync`.")


def _imports(source: Source, plugin: Plugin) -> Iterator[Finding]:
    """What the kernel imports into its own process must need nothing but the standard library and tunesmith."""
    modules = [
        source.module,
        *(f for r in plugin.providers for f in (r.estimator, r.variants)),
        *(r.target for r in plugin.providers if r.kind == "device_backend"),
    ]
    named = list(dict.fromkeys(target.partition(":")[0] for target in modules if target))
    siblings = {canonicalize_name(Requirement(line).name).replace("-", "_") for line in source.dependencies}
    allowed = {*sys.stdlib_module_names, "tunesmith", "pluggy", source.package, *(s for s in siblings if s.startswith("tunesmith"))}
    for answer in probe(named, source.root):
        name, heavy = answer["module"], [loaded for loaded in answer["loaded"] if loaded not in allowed and not loaded.startswith("_")]
        if answer["error"]:
            yield Finding(
                "imports.light", False, f"importing {name} fails: {answer['error']}", "Import what may be missing inside functions."
            )
        elif heavy:
            fix = "Import them inside functions; this module is imported where the plugin's runtime is not."
            yield Finding("imports.light", False, f"importing {name} loads {', '.join(heavy[:8])}", fix)


def _settings(source: Source, plugin: Plugin) -> Iterator[Finding]:
    """Defaults and examples must fit the schema that is made of them, and so must settings beside which another shows its effect."""
    for record in plugin.providers:
        for path, sentence in problems(record.schema, fill(record.schema, {})):
            if sentence != "is missing":  # a required setting has no default, and need not
                yield Finding(
                    "settings.defaults-fit", False, f"the default of {record.name}'s setting `{path}` {sentence}", "Correct the default."
                )
        properties = record.schema.get("properties", {})
        by_own_names = {**record.schema, "required": (), "properties": {name: {**properties[name], "aliases": ()} for name in properties}}
        for name, entry in properties.items():
            for example in entry.get("examples", ()):
                for _, sentence in problems(entry, example):
                    yield Finding(
                        "settings.defaults-fit", False, f"an example of {record.name}'s setting `{name}` {sentence}", "Correct the example."
                    )
            for path, sentence in problems(by_own_names, entry.get("effect", {}).get("with", {})):
                told = f"the effect of {record.name}'s setting `{name}` is looked for with `{path}`, which {sentence}"
                yield Finding("settings.defaults-fit", False, told, "Correct the effect.")


def _targets(source: Source, plugin: Plugin) -> Iterator[Finding]:
    """What the records name must be there."""
    yield from (Finding("targets.exist", False, error.what, error.fix) for error in missing(plugin, source.root))


def _package(source: Source) -> Finding:
    """Build the wheel and look whether the manifest is in it: nothing else knows what a build backend takes along."""
    backend = source.backend
    try:
        installed = find_spec(backend.partition(".")[0].partition(":")[0])
    except ValueError:
        installed = None
    if not installed:
        return Finding(
            "wheel.has-manifest",
            None,
            f"not checked: the build backend {backend} is not installed",
            f"pip install {backend.partition('.')[0]}",
        )
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "source")
        shutil.copytree(source.folder, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "tests"))
        code = f"import sys, importlib; importlib.import_module({backend.partition(':')[0]!r}).build_wheel(sys.argv[1])"
        done = subprocess.run([sys.executable, "-c", code, scratch], cwd=copy, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no wheel came out"])[-1]
            return Finding("wheel.has-manifest", False, f"the wheel can't be built: {last}", "Build it by hand with `python -m build`.")
        wanted = source.manifest.relative_to(source.root).as_posix()
        if wanted in zipfile.ZipFile(wheels[0]).namelist():
            return Finding("wheel.has-manifest", True, "the wheel carries the manifest")
    return Finding("wheel.has-manifest", False, f"the wheel lacks {wanted}", "Make the build include it as package data.")


_PASSED: dict[Callable[[Source, Plugin], Iterator[Finding]], tuple[str, str]] = {
    _imports: ("imports.light", "what the kernel imports is light"),
    _settings: ("settings.defaults-fit", "defaults and examples fit the schema"),
    _targets: ("targets.exist", "everything that the records name is there"),
}
