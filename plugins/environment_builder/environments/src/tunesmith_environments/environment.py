"""An environment that is built: what its marker says."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MARKER = "environment.json"  # written last: without it an environment is not there
BYTECODE = "bytecode"  # what Python compiles goes here, so that running a worker changes no directory of packages
VERSION = 1
TOOLS = "tools"  # what installers need besides: scratch files, a pip
#: folders of the environments' directory that are none
RESERVED = ("locks", "links", TOOLS)

#: variables that must not be inherited: they would lead a Python to packages of another environment, or keep it from keeping bytecode
UNSET = (
    "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONUSERBASE", "PYTHONPLATLIBDIR",
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT",
    "PIP_REQUIRE_VIRTUALENV",
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """
    Args:
        key: its name in the environments' directory.
        path: a virtual environment.
        version: of its Python.
        accelerator: the device backend that it is for.
        plugins: distributions that have used it.
        requirements: what was asked for.
        packages: name -> version of all that is in it.
        probed: health checks that it has passed.
        facts: what these told.
        made_by: installer and version.
        created: seconds since the epoch.
        seconds: how long the build took.
        size: bytes of its files.
        shared: bytes among these that the installer's cache or other environments hold too (hard links), as of when it was built.
        last_used: seconds since the epoch.
    """

    key: str
    path: Path
    version: str
    accelerator: str = "cpu"
    plugins: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    probed: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    made_by: str = ""
    created: float = 0.0
    seconds: float = 0.0
    size: int = 0
    shared: int = 0
    last_used: float = 0.0

    @property
    def python(self) -> str:
        """Path of its interpreter."""
        return str(self.path / "bin" / "python")

    @property
    def site(self) -> Path:
        """Where its packages are."""
        return site(self.path, self.version)

    def variables(self, links: Path) -> dict[str, str]:
        """What a process in it needs on top of the host's variables, without those of `UNSET`.

        Args:
            links: the folder of linked code (see links.py).
        """
        return variables(self.path, links)

    def to_json(self) -> dict[str, Any]:
        names = ("key", "version", "accelerator", "plugins", "requirements", "probed", "made_by", "created", "seconds", "size", "shared")
        listed = {name: getattr(self, name) for name in names}
        return {"marker": VERSION, **listed, "packages": dict(self.packages), "facts": dict(self.facts)}


def site(path: Path, version: str) -> Path:
    """Where the packages of the virtual environment at `path` are."""
    return path / "lib" / f"python{'.'.join(version.split('.')[:2])}" / "site-packages"


def variables(path: Path, links: Path) -> dict[str, str]:
    """See `Environment.variables`."""
    return {
        "PYTHONPATH": str(links), "PYTHONNOUSERSITE": "1", "PYTHONPYCACHEPREFIX": str(path / BYTECODE), "VIRTUAL_ENV": str(path),
        "PATH": os.pathsep.join([str(path / "bin"), os.environ.get("PATH", os.defpath)]),
    }  # fmt: skip


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables without those of `UNSET`."""
    return {name: value for name, value in environ.items() if name not in UNSET}


def read(path: Path) -> Environment | None:
    """The environment in a directory; None if it has no marker that can be read. Looks at nothing else."""
    marker = path / MARKER
    try:
        data = json.loads(marker.read_text(encoding="utf-8"))
        used = marker.stat().st_mtime
        if data["marker"] != VERSION or data["key"] != path.name:
            return None
        tuples = {name: tuple(data[name]) for name in ("plugins", "requirements", "probed")}
        names = ("key", "version", "accelerator", "packages", "facts", "made_by", "created", "seconds", "size", "shared")
        return Environment(path=path, last_used=used, **tuples, **{name: data[name] for name in names})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def folders(directory: Path) -> list[Path]:
    """The environments of a directory, whether they are complete or not."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_dir() and path.name not in RESERVED and not path.name.startswith("."))


def built(directory: Path) -> list[Environment]:
    """Those that are built, the last used first. They may have been damaged since."""
    return sorted(filter(None, map(read, folders(directory))), key=lambda found: -found.last_used)


def write(environment: Environment) -> None:
    """Write the marker so that it is there whole or not at all, whatever happens; this counts as a use."""
    path = environment.path / MARKER
    temporary = path.with_name(f".{MARKER}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(environment.to_json(), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    fd = os.open(environment.path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
