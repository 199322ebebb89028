"""pip and venv as the installer, where uv can't be had."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith.errors import TunesmithError
from tunesmith.policy import normal
from tunesmith_environments import environment, interpreters
from tunesmith_environments.disk_space import FreeSpace
from tunesmith_environments.installers import errors, process, recipe_files
from tunesmith_environments.installers.progress import Progress
from tunesmith_environments.interpreters import Interpreter
from tunesmith_environments.lock import Lock, Package, from_report, merged

ENOUGH = (22, 3)  # has `--python` and `--report`


class Pip:
    """The host's own pip, working on other environments by ``--python``: they need none themselves.

    Args:
        scratch: where files may be left; and pip itself, if the host has none.
        offline: only wheel folders are used.
        find_links: further wheel folders.
    """

    name = "pip"

    def __init__(self, scratch: Path, offline: bool, find_links: Sequence[str]) -> None:
        self._scratch, self._offline = scratch, offline
        self._folders = [word for folder in find_links for word in ("--find-links", folder)] + (["--no-index"] if offline else [])

    @cached_property
    def environ(self) -> dict[str, str]:
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off", "NO_COLOR": "1"}
        # Debian's pythons are to be left alone; nothing is installed into them: pip is only asked what it would
        return {**environment.clean(os.environ), **quiet, "PIP_BREAK_SYSTEM_PACKAGES": "1"}

    def resolve(self, recipe: Recipe, interpreter: Interpreter, watch: Watch) -> Lock:
        watch.progress("resolving", 0, None, "")
        report = self._report(recipe, recipe_files.requested(recipe), interpreter, watch)
        gone = without(report, recipe_files.names(recipe), recipe.absent)
        resolved = [package for package in from_report(report) if package.name not in gone]
        on_top: list[Package] = []
        if recipe.without_dependencies:
            on_top = from_report(self._report(recipe, recipe.without_dependencies, interpreter, watch, "--no-deps"))
        made_by = f"pip {report.get('pip_version', '?')}"
        return Lock(merged(resolved, on_top, recipe.absent), interpreter.version, interpreter.tag, made_by)

    def _report(self, recipe: Recipe, lines: Sequence[str], interpreter: Interpreter, watch: Watch, *more: str) -> Mapping[str, Any]:
        with recipe_files.files(self._scratch, requirements=lines) as (requirements,):
            report = requirements.with_name("report.json")
            self._run(
                recipe, watch, interpreter.path, "install", "--dry-run", "--ignore-installed", "--report", report, *more, "-r", requirements
            )
            return json.loads(report.read_text(encoding="utf-8"))

    def create(self, path: Path, interpreter: Interpreter, watch: Watch) -> None:
        ended = process.run([interpreter.path, "-I", "-m", "venv", "--without-pip", path], watch, environ=self.environ)
        if ended.status:
            raise errors.failed("venv", ended, None, self._offline)

    def install(self, path: Path, lock: Lock, recipe: Recipe, watch: Watch) -> None:
        progress = Progress(watch, len(lock.packages), FreeSpace(path).check)
        progress.start()
        with recipe_files.files(self._scratch, lock=lock.text.splitlines()) as (file,):
            arguments = ("install", "--no-deps", "--require-hashes", "--no-compile", "-r", file)
            self._run(recipe, watch, str(path / "bin" / "python"), *arguments, heard=progress.hear)

    def collect(self, folder: Path, lock: Lock, recipe: Recipe, watch: Watch, python: str) -> None:
        """The lock's packages as wheels in a folder, built where there is only source."""
        progress = Progress(watch, len(lock.packages), FreeSpace(folder).check)
        progress.start()
        with recipe_files.files(self._scratch, lock=lock.text.splitlines()) as (file,):
            arguments = ("wheel", "--no-deps", "--require-hashes", "--wheel-dir", folder, "-r", file)
            self._run(recipe, watch, python, *arguments, heard=progress.hear)

    def _run(
        self, recipe: Recipe | None, watch: Watch, python: str, *words: str | Path, heard: Callable[[str], None] = lambda line: None
    ) -> None:
        command = [self._python(watch), "-I", "-m", "pip", "--python", python, *words, *self._folders]
        ended = process.run(command, watch, heard, environ=self.environ)
        if ended.status:
            raise errors.failed(self.name, ended, recipe, self._offline)

    def _python(self, watch: Watch) -> str:
        """A Python that has a pip new enough: the host's, or one made for this."""
        if pip_version(sys.executable) >= ENOUGH:
            return sys.executable
        path = self._scratch / "pip"
        python = str(path / "bin" / "python")
        if pip_version(python) >= ENOUGH:
            return python
        watch.log("the host's environment has no pip of use; one is put beside the environments")
        ended = process.run([interpreters.host().path, "-I", "-m", "venv", "--clear", path], watch, environ=self.environ)
        if not ended.status and pip_version(python) < ENOUGH:
            ended = process.run([python, "-I", "-m", "pip", "install", "--upgrade", "pip", *self._folders], watch, environ=self.environ)
        if ended.status:
            raise TunesmithError(
                "TS-ENV-010", "There is neither uv nor a pip to make environments with", why=errors.quoted(ended.text),
                fix="pip install uv; or install your system's package with venv and pip for this Python.",
            )  # fmt: skip
        return python


def pip_version(python: str) -> tuple[int, ...]:
    """Version of the pip of a Python, () if it has none."""
    try:
        done = subprocess.run([python, "-I", "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ()
    found = re.match(r"pip (\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else ()


def without(report: Mapping[str, Any], asked: set[str], absent: Sequence[str]) -> set[str]:
    """The packages of a report that are there only because of those that must be absent, and these themselves.

    uv is told to resolve without them; pip can't be, so what nobody else needs is taken out afterwards.
    """
    from packaging.requirements import Requirement

    banned = set(map(normal, absent))
    entries = {normal(entry["metadata"]["name"]): entry for entry in report["install"]}
    environment = report.get("environment", {})
    reached: set[tuple[str, str]] = set()
    waiting = [(name, "") for name in asked] + [(name, extra) for name in asked for extra in _extras(entries.get(name))]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in reached or name in banned or name not in entries:
            continue
        reached.add((name, extra))
        for line in entries[name]["metadata"].get("requires_dist", ()):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
                waiting += [(normal(requirement.name), more) for more in ("", *requirement.extras)]
    return entries.keys() - {name for name, _ in reached}


def _extras(entry: Mapping[str, Any] | None) -> Sequence[str]:
    return (entry or {}).get("requested_extras", ())
