"""Which Python an environment is made of: the host's if it will do, else another one on this machine."""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunesmith.errors import UserError

WORKER = ">=3.9"  # what the worker itself runs under
_ASK = (
    "import json, platform, sys, sysconfig\n"
    "print(json.dumps([getattr(sys, '_base_executable', None) or sys.executable, platform.python_version(),"
    " sys.implementation.name, sysconfig.get_platform()]))"
)


class Interpreter(NamedTuple):
    """A Python. `path` is the installed one, not that of a virtual environment; `tag` such as ``cp311-linux-x86_64``."""

    path: str
    version: str
    tag: str


def make_tag(implementation: str, version: str, system: str) -> str:
    """Implementation, minor version and platform: what decides which wheels fit."""
    short = {"cpython": "cp", "pypy": "pp"}.get(implementation, implementation)
    return f"{short}{''.join(version.split('.')[:2])}-{system}"


@functools.cache
def host() -> Interpreter:
    """The Python that runs this."""
    version = platform.python_version()
    path = getattr(sys, "_base_executable", None) or sys.executable
    return Interpreter(path, version, make_tag(sys.implementation.name, version, sysconfig.get_platform()))


def suits(version: str, wanted: str) -> bool:
    """Whether a version of Python meets a specifier, and the worker's own."""
    from packaging.specifiers import SpecifierSet

    return all(SpecifierSet(specifier).contains(version, prereleases=True) for specifier in (wanted, WORKER))


def choose(wanted: str) -> Interpreter | None:
    """The host's Python if it meets the specifier, else the newest on this machine that does."""
    if suits(host().version, wanted):
        return host()
    return max((found for found in others() if suits(found.version, wanted)), key=_age, default=None)


def none_found(wanted: str, plugins: tuple[str, ...], tried: str = "") -> UserError:
    """The error of an environment that no Python here can be made of."""
    versions = {found.version: found.path for found in (*reversed(others()), host())}
    there = ", ".join(f"{version} ({path})" for version, path in reversed(versions.items()))
    asks = f"{', '.join(plugins)} ask" + ("s" if len(plugins) == 1 else "")
    return UserError(
        "TS-ENV-005", f"No Python here is {wanted or WORKER}", why=f"{asks or 'its plugins ask'} for it; found: {there}. {tried}".strip(),
        fix="Install such a Python (`uv python install VERSION`, pyenv, your system's packages) so that it is on PATH as python3.N.",
    )  # fmt: skip


@functools.cache
def others() -> tuple[Interpreter, ...]:
    """The other Pythons of this machine: on PATH, of pyenv and of uv."""
    found: dict[str, Interpreter] = {}
    for path in _candidates():
        interpreter = ask(path)
        if interpreter and (real := os.path.realpath(interpreter.path)) != os.path.realpath(host().path):
            found.setdefault(real, interpreter)
    return tuple(found.values())


def ask(path: Path) -> Interpreter | None:
    """What a Python says of itself; None if it does not run (a shim of nothing, a broken link)."""
    try:
        done = subprocess.run([path, "-I", "-S", "-c", _ASK], capture_output=True, text=True, timeout=20, check=True)
        executable, version, implementation, system = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(executable, version, make_tag(implementation, version, system))


def _candidates() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder and os.path.basename(folder) != "shims":  # pyenv's: those of other versions only complain
            yield from sorted(path for path in Path(folder).glob("python3.*") if path.name[8:].isdigit())
            if (Path(folder) / "python3").exists():
                yield Path(folder) / "python3"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for pattern, base in (("versions/*/bin/python3", pyenv), ("*/bin/python3", uv)):
        yield from sorted(base.glob(pattern))


def _age(interpreter: Interpreter) -> tuple[int, ...]:
    return tuple(int(part) for part in interpreter.version.split(".")[:2])
