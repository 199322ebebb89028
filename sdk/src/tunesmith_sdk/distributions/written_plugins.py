"""Plugin distributions written to a folder as an installer leaves them: for tests and measurements of what happens at start-up."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tunesmith
import tunesmith_cli
from tunesmith.plugins.records import Plugin, ProviderRecord
from tunesmith_sdk.manifest.text import manifest_of

#: what the module of such a plugin does unless told otherwise: nobody may import it
RAISES = 'raise AssertionError(f"{__name__} was imported")\n'


def write_distribution(site: Path, name: str, version: str = "1.0", *, requires: Sequence[str] = (), points: str = "") -> Path:
    """Metadata of an installed distribution, without code; its folder. `points`: lines of its plugin entry points."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
    (folder / "METADATA").write_text("\n".join(lines) + "\n\nA description.\n")
    if points:
        (folder / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[tunesmith.plugins]\n{points}\n")
    return folder


def write_plugin(
    site: Path,
    name: str,
    version: str = "1.0",
    *,
    providers: Sequence[Mapping[str, Any]] = (),
    manifest: str | None = None,
    code: str = RAISES,
    runtime: Sequence[str] = (),
    requires: Sequence[str] = (),
) -> Path:
    """An installed plugin distribution with the manifest that says what is given; its manifest's path.

    Args:
        providers: fields of `tunesmith.plugins.records.ProviderRecord`; kind and name are enough.
        manifest: the file's text, whatever it is, in place of the one made; empty for none.
        code: of the plugin's module.
    """
    package = name.replace("-", "_")
    (site / package).mkdir(parents=True, exist_ok=True)
    (site / package / "__init__.py").write_text("")
    (site / package / "plugin.py").write_text(code)
    (site / package / "provider.py").write_text(f"{RAISES}\n\nclass Provider: ...\n")
    write_distribution(site, name, version, requires=requires, points=f"{name} = {package}.plugin")
    path = site / package / "plugin.toml"
    records = tuple(record(name, version, **fields) for fields in providers)
    text = manifest_of(Plugin(name, version, f"{package}.plugin", records, runtime=tuple(runtime))) if manifest is None else manifest
    if text:
        path.write_text(text)
    return path


def link_plugin(site: Path, distribution: str) -> None:
    """A plugin of this environment, installed in another folder of packages, too."""
    found = importlib.metadata.distribution(distribution)
    (point,) = found.entry_points.select(group="tunesmith.plugins")
    package = point.module.partition(".")[0]
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    (site / package).symlink_to(Path(spec.origin).parent, target_is_directory=True)
    write_distribution(site, distribution, found.version, points=f"{point.name} = {point.value}")


def record(distribution: str, version: str = "1.0", *, kind: str, name: str, **fields: Any) -> ProviderRecord:
    """A provider's record whose target is in the plugin's package."""
    target = f"{distribution.replace('-', '_')}.provider:Provider"
    said = {"summary": f"the {kind} {name}", "target": target, "distribution": distribution, "version": version}
    return ProviderRecord(kind=kind, name=name, **(said | fields))


def age(folder: Path, seconds: float = 60) -> None:
    """Make everything in a folder look as if written a while ago: discovery does not trust times of the last two seconds."""
    for path in (folder, *folder.rglob("*")):
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def write_environment(folder: Path) -> tuple[Path, Path]:
    """A virtual environment with this kernel, its command line and what they require, and no plugin; made without an index.

    Returns: its python and its site-packages.
    """
    import venv

    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for module in ("pluggy", "yaml", "rich", "packaging", "markdown_it", "mdurl", "pygments", "tomli"):
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            (site / module).symlink_to(Path(spec.origin).parent, target_is_directory=True)
    (site / "tunesmith.pth").write_text("".join(f"{Path(package.__file__).parent.parent}\n" for package in (tunesmith, tunesmith_cli)))
    write_distribution(site, "tunesmith-core", tunesmith.__version__)
    return folder / "bin" / "python", site


def write_many(site: Path, count: int) -> None:
    """As many plugins of ordinary size as are wanted, of several kinds; importing any of them raises."""
    types = ({"type": "integer", "minimum": 1}, {"type": "number"}, {"type": "string"}, {"type": "boolean"})
    kinds = ("adapter", "trainer_strategy", "quantizer", "evaluator", "exporter", "inference_backend")
    for number in range(count):
        settings = {f"setting_{n}": {**types[n % 4], "description": f"what setting {n} is good for", "default": 1} for n in range(12)}
        write_plugin(
            site,
            f"synthetic-{number:03}",
            providers=[
                {
                    "kind": kinds[number % len(kinds)],
                    "name": f"made-{number:03}",
                    "schema": {"type": "object", "properties": settings, "additionalProperties": False},
                    "accepts": ("model/hf",),
                    "produces": (f"model/made-{number:03}",),
                    "capabilities": {"merge": "full", "device.abacus": "partial"},
                }
            ],
            runtime=[f"heavy-{number}>=1"],
        )
