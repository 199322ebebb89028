"""uv as the installer."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith_environments import environment
from tunesmith_environments.disk_space import FreeSpace
from tunesmith_environments.installers import errors, process, recipe_files
from tunesmith_environments.installers.pip_settings import no_index, uv_variables
from tunesmith_environments.installers.progress import Progress
from tunesmith_environments.interpreters import Interpreter
from tunesmith_environments.lock import Lock, Package, file_hashes, from_requirements, merged


class Uv:
    """
    Args:
        command: what starts it.
        scratch: where files may be left for it to read.
        offline: only wheel folders and uv's own cache are used.
        find_links: further wheel folders.
    """

    name = "uv"

    def __init__(self, command: Sequence[str], scratch: Path, offline: bool, find_links: Sequence[str]) -> None:
        self._command, self._scratch, self._offline, self._find_links = tuple(command), scratch, offline, tuple(find_links)

    @cached_property
    def environ(self) -> dict[str, str]:
        """The variables that it is run with: this process's, and pip's settings in its words."""
        settings = uv_variables(find_links=self._find_links)
        return {**environment.clean(os.environ), **settings, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}

    @cached_property
    def version(self) -> str:
        done = subprocess.run([*self._command, "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+\S*", done.stdout)
        return found[0] if found else "?"

    def resolve(self, recipe: Recipe, interpreter: Interpreter, watch: Watch) -> Lock:
        watch.progress("resolving", 0, None, "")
        resolved = self._compile(recipe, recipe_files.requested(recipe), interpreter, watch)
        on_top = self._compile(recipe, recipe.without_dependencies, interpreter, watch, "--no-deps") if recipe.without_dependencies else []
        return Lock(merged(resolved, on_top, recipe.absent), interpreter.version, interpreter.tag, f"uv {self.version}")

    def _compile(self, recipe: Recipe, lines: Sequence[str], interpreter: Interpreter, watch: Watch, *more: str) -> list[Package]:
        never = [f'{name}; python_version < "0"' for name in recipe.absent]
        with recipe_files.files(self._scratch, requirements=lines, absent=never) as (requirements, absent):
            output = requirements.with_name("lock.txt")
            self._run(
                recipe, watch, "pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--no-strip-extras",
                "--python", interpreter.path, "--override", absent, "--output-file", output, *more, requirements,
            )  # fmt: skip
            return [self._hashed(package) for package in from_requirements(output.read_text(encoding="utf-8"))]

    def _hashed(self, package: Package) -> Package:
        """With ``--no-deps`` uv does not open a wheel of a folder, and so tells no hash of it."""
        if package.hashes:
            return package
        folders = self.environ.get("UV_FIND_LINKS", "").split(",")
        return package._replace(hashes=file_hashes(package, [Path(folder) for folder in folders if "://" not in folder]))

    def create(self, path: Path, interpreter: Interpreter, watch: Watch) -> None:
        self._run(None, watch, "venv", "--quiet", "--allow-existing", "--no-project", "--python", interpreter.path, path)

    def install(self, path: Path, lock: Lock, recipe: Recipe, watch: Watch) -> None:
        progress = Progress(watch, len(lock.packages), FreeSpace(path).check)
        progress.start()
        with recipe_files.files(self._scratch, lock=lock.text.splitlines()) as (file,):
            arguments = ("--no-deps", "--require-hashes", "--python", path / "bin" / "python", "--requirements", file)
            self._run(recipe, watch, "pip", "install", *arguments, heard=progress.hear)

    def fetch_python(self, wanted: str, watch: Watch) -> tuple[Path | None, str]:
        """A Python of uv's own, downloaded if need be: its path, or None and what uv said."""
        if self._offline or os.environ.get("UV_PYTHON_DOWNLOADS") in ("never", "manual"):
            return None, ""
        watch.log(f"no Python here is {wanted}; uv looks for one to download")
        fetched = process.run([*self._command, "python", "install", wanted], watch, environ=self.environ)
        if fetched.status:
            return None, f"uv could not download one: {errors.last_line(fetched.text)}"
        found = process.run([*self._command, "python", "find", "--managed-python", wanted], watch, environ=self.environ)
        return (Path(found.text.strip().splitlines()[-1]), "") if not found.status and found.text.strip() else (None, "")

    def _run(self, recipe: Recipe | None, watch: Watch, *words: str | Path, heard: Callable[[str], None] = lambda line: None) -> None:
        options = ["--offline"] if self._offline else []
        if words[0] == "pip" and no_index():
            options.append("--no-index")
        ended = process.run([*self._command, *words, *options], watch, heard, environ=self.environ, cwd=self._scratch)
        if ended.status:
            raise errors.failed(self.name, ended, recipe, self._offline)
