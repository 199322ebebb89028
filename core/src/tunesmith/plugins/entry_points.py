"""Looks through sys.path for distributions and their entry points, reading as few files as it can and importing none.

`importlib.metadata` would do the same at three times the cost, and costs 25 ms to import. Directories only: a plugin inside a zip
file has no manifest on disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tunesmith.plugins import GROUP
from tunesmith.policy import normal

_INFO = (".dist-info", ".egg-info")


class EntryPoint(NamedTuple):
    """An entry point of the group ``tunesmith.plugins``; `module` may be ``package.module:object``; `editable`: its code may change."""

    distribution: str
    version: str
    name: str
    module: str
    editable: bool = False


def information_folders(path: str) -> list[str]:
    """Names of the ``.dist-info`` and ``.egg-info`` folders in an entry of sys.path; none if it is no directory."""
    try:
        return sorted(name for name in os.listdir(path or ".") if name.endswith(_INFO))
    except OSError:
        return []


def distributions(paths: Iterable[str]) -> dict[str, Path]:
    """Normalised name -> information folder of every distribution; the first on the path counts, as when importing."""
    found: dict[str, Path] = {}
    for path in paths:
        for folder in information_folders(path):
            stem = folder.rpartition(".")[0]
            found.setdefault(normal(stem.partition("-")[0]), Path(path or ".", folder))
    return found


def entry_points(found: Mapping[str, Path]) -> list[EntryPoint]:
    """The plugins among `distributions`, in order of their names."""
    points = []
    for _, folder in sorted(found.items()):
        declared = _declared(folder)
        if declared:
            fields = metadata(folder)
            name, version = fields.get("name", [folder.name.partition("-")[0]])[0], fields.get("version", [""])[0]
            points += [EntryPoint(name, version, key, module, _is_editable(folder)) for key, module in declared]
    return points


def metadata(folder: Path) -> dict[str, list[str]]:
    """Header fields of a distribution's metadata, names in lower case; empty if there is none."""
    fields: dict[str, list[str]] = {}
    for name in ("METADATA", "PKG-INFO"):
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
            if not line.strip():
                break  # the description follows
            key, colon, value = line.partition(":")
            if colon and not line[0].isspace():
                fields.setdefault(key.lower(), []).append(value.strip())
        break
    return fields


def manifest_path(module: str) -> Path | None:
    """Where a module's manifest is or should be: in the folder of the module. None when its package can't be found.

    Only the top-level package is looked up, by the import system's finders, which covers editable installs; nothing is imported.
    """
    import importlib.util

    top, *rest = module.partition(":")[0].split(".")
    try:
        spec = importlib.util.find_spec(top)
        folders = [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]
    except Exception:  # a finder of somebody else's may raise whatever it likes; the plugin is then not found
        return None
    for folder in folders:
        whole = folder.joinpath(*rest)
        if whole.is_dir():
            return whole / "plugin.toml"
        if whole.with_suffix(".py").is_file() or whole.parent.is_dir():
            return whole.parent / "plugin.toml"
    return None


def _declared(folder: Path) -> list[tuple[str, str]]:
    try:
        with open(os.path.join(folder, "entry_points.txt"), encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return []
    if GROUP not in text:
        return []
    declared, section = [], ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == GROUP and "=" in line and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            declared.append((key.strip(), value.partition("[")[0].replace(" ", "")))
    return declared


def _is_editable(folder: Path) -> bool:
    """Whether an installer left word (PEP 610) that the code is used where its author works on it."""
    try:
        text = (folder / "direct_url.json").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return '"editable":true' in "".join(text.split())


def search_path() -> list[str]:
    """sys.path without its repetitions."""
    return list(dict.fromkeys(sys.path))
