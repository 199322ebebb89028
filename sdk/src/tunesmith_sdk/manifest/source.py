"""A plugin's source folder: what its pyproject.toml says, so that a plugin can be synced before it is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunesmith import toml
from tunesmith.errors import UserError
from tunesmith.plugins import GROUP, KERNEL, KERNEL_MODULE
from tunesmith.plugins.records import EnvironmentSpec

_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_ENVIRONMENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "prefer": {"type": "string", "enum": ["auto", "host", "isolated"]},
        "python": {"type": "string"},
        "without-dependencies": _STRINGS,
        "absent": _STRINGS,
        "probe": {"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"},
    },
}
_ERRORS = {"type": "object", "additionalProperties": {"type": "string", "pattern": r"^https?://\S+$"}}
_PASSED_OVER = {"node_modules", "build", "dist", "__pycache__", "template"}


@dataclass(frozen=True)
class Source:
    """A plugin's code in a checkout.

    Args:
        root: the folder on sys.path from which `module` is imported.
        module: what the entry point names, ``package.module`` or ``package.module:object``.
        version: empty if the build decides it.
    """

    folder: Path
    root: Path
    distribution: str
    version: str
    module: str
    runtime: tuple[str, ...]
    environment_spec: EnvironmentSpec
    dependencies: tuple[str, ...]
    backend: str
    error_pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The module's own file."""
        path = self.root.joinpath(*self.module.partition(":")[0].split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    @property
    def manifest(self) -> Path:
        return self.file.parent / "plugin.toml"

    @property
    def package(self) -> str:
        return self.module.partition(":")[0].partition(".")[0]


def read_source(folder: Path) -> list[Source]:
    """The plugins in a folder, one per entry point; the kernel's folder gives the kernel.

    Raises:
        UserError: TS-PLUGIN-007 when the folder holds no plugin.
    """
    folder = folder.resolve()
    path = folder / "pyproject.toml"
    fix = f'Name a folder whose pyproject.toml has [project.entry-points."{GROUP}"].'
    try:
        data = toml.read(path)
    except OSError:
        raise UserError("TS-PLUGIN-007", f"{folder} is no plugin's source folder: it has no pyproject.toml", fix=fix) from None
    except ValueError as error:
        raise UserError("TS-PLUGIN-007", f"{path} is not valid TOML", why=str(error), fix="Correct the file.") from None
    modules = _modules(data)
    if not modules:
        raise UserError("TS-PLUGIN-007", f"{path} has no entry point in the group {GROUP}", fix=fix)
    return [_source(folder, data, module) for module in modules]


def find_sources(folder: Path) -> Iterator[Path]:
    """Every folder at or below `folder` that holds a plugin, in order of path."""
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _PASSED_OVER)
        if "pyproject.toml" in files:
            path = Path(directory)
            try:
                is_plugin = bool(_modules(toml.read(path / "pyproject.toml")))
            except (OSError, ValueError):
                is_plugin = False
            if is_plugin:
                folders.clear()
                yield path


def _modules(data: Mapping[str, Any]) -> list[str]:
    project = data.get("project", {})
    if project.get("name") == KERNEL:
        return [KERNEL_MODULE]
    return [value.replace(" ", "") for value in project.get("entry-points", {}).get(GROUP, {}).values()]


def _source(folder: Path, data: Mapping[str, Any], module: str) -> Source:
    project = data["project"]
    name = project.get("name", "")
    packages = data.get("tool", {}).get("hatch", {}).get("build", {}).get("targets", {}).get("wheel", {}).get("packages", [])
    roots = [folder / "src", folder, *(folder / Path(package).parent for package in packages)]
    package = module.partition(":")[0].partition(".")[0]
    root = next((root for root in roots if (root / package).is_dir()), None)
    if root is None:
        raise UserError("TS-PLUGIN-007", f"{folder} has no package {package}", why=f"its entry point names {module}",
                        fix=f"Put the package at src/{package}/.")  # fmt: skip
    extras = project.get("optional-dependencies", {})
    environment_spec = _surroundings(folder, extras, data.get("tool", {}).get("tunesmith", {}).get("environment", {}))
    return Source(
        folder,
        root.resolve(),
        name,
        str(project.get("version", "")),
        module,
        tuple(extras.get("runtime", ())),
        environment_spec,
        tuple(project.get("dependencies", ())),
        data.get("build-system", {}).get("build-backend", "setuptools.build_meta"),
        _error_pages(folder, data.get("tool", {}).get("tunesmith", {}).get("errors", {})),
    )


def _error_pages(folder: Path, table: Mapping[str, Any]) -> Mapping[str, str]:
    """What ``[tool.tunesmith.errors]`` says: beginning of a code -> address of its page."""
    from tunesmith.contracts.settings import problems

    found = [f"`tool.tunesmith.errors.{where}` {sentence}" for where, sentence in problems(_ERRORS, table)]
    found += [
        f"`tool.tunesmith.errors.{prefix}`: codes that begin so are tunesmith's own" for prefix in table if "TS-".startswith(prefix[:3])
    ]
    if found:
        raise UserError("TS-PLUGIN-007", f"{folder / 'pyproject.toml'}: {'; '.join(found)}",
                        fix='Write `"ACME-" = "https://acme.example/errors/{code}"`.')  # fmt: skip
    return dict(table)


def _surroundings(folder: Path, extras: Mapping[str, Sequence[str]], table: Mapping[str, Any]) -> EnvironmentSpec:
    """What ``[tool.tunesmith.environment]`` says, and the extras ``runtime-<device>``."""
    from tunesmith.contracts.settings import problems

    found = [f"`tool.tunesmith.environment.{where}` {sentence}" for where, sentence in problems(_ENVIRONMENT, table)]
    if found:
        raise UserError("TS-PLUGIN-007", f"{folder / 'pyproject.toml'}: {'; '.join(found)}", fix="Correct the file.")
    said = {key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    by_device = {name.partition("-")[2]: tuple(lines) for name, lines in extras.items() if name.startswith("runtime-")}
    return EnvironmentSpec(**said, runtime=by_device)
