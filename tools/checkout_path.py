"""This checkout as if it were installed, with the interpreter that runs this: nothing is built, fetched or written beside it.

Python finds the code by the `src` folders of all distributions, and the plugins by metadata of them that is written to a folder given.
Standard library only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ("*/", "plugins/*/*/", "contrib/*/")  #: folders with a distribution
IMPORTED = {"pluggy": "pluggy", "yaml": "PyYAML", "packaging": "packaging"}  #: what the kernel imports, and who brings it


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that has the checkout on its path; `folder` is for the metadata."""
    sources = [write_metadata(path, folder) / "src" for path in _folders()]
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *map(str, sources), *([before] if before else [])])}


def missing(modules: Mapping[str, str]) -> list[str]:
    """Those of `modules` (module -> who brings it) that this interpreter has not, by who brings them."""
    return [bringer for module, bringer in modules.items() if find_spec(module) is None]


def write_metadata(source: Path, folder: Path) -> Path:
    """What an installer would write of the distribution in `source`; that is returned."""
    data = _read(source / "pyproject.toml")
    project = data["project"]
    name, version = project["name"], project["version"]
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("".join(f"{line}\n" for line in _fields(project)), encoding="utf-8")
    (info / "direct_url.json").write_text(json.dumps({"url": source.as_uri(), "dir_info": {"editable": True}}), encoding="utf-8")
    groups = {**project.get("entry-points", {}), "console_scripts": project.get("scripts", {})}
    points = [line for group, named in groups.items() if named for line in (f"[{group}]", *(f"{key} = {to}" for key, to in named.items()))]
    (info / "entry_points.txt").write_text("".join(f"{line}\n" for line in points), encoding="utf-8")
    return source


def _folders() -> list[Path]:
    return [path.parent for pattern in PATTERNS for path in sorted(ROOT.glob(f"{pattern}pyproject.toml"))]


def _fields(project: Mapping[str, Any]) -> Iterable[str]:
    yield from ("Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}")
    yield from (f"Requires-Dist: {line}" for line in project.get("dependencies", ()))
    for extra, lines in project.get("optional-dependencies", {}).items():
        yield f"Provides-Extra: {extra}"
        for line in lines:
            requirement, _, marker = (part.strip() for part in line.partition(";"))
            condition = f'extra == "{extra}"'
            yield f"Requires-Dist: {requirement} ; " + (f"({marker}) and {condition}" if marker else condition)


def _read(path: Path) -> dict[str, Any]:
    try:
        import tomllib
    except ImportError:  # Python 3.10
        try:
            import tomli as tomllib
        except ImportError:
            raise SystemExit("Python 3.10 needs tomli: pip install tomli") from None
    return tomllib.loads(path.read_text("utf-8"))
