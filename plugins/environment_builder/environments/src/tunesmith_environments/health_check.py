"""Whether a new environment works: everything is there, what must be absent is, and the plugins' own probes pass."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tunesmith.contracts.kinds.environment_builder import Recipe, Watch
from tunesmith.errors import TunesmithError
from tunesmith.isolation.secret_variables import withheld
from tunesmith.policy import normal
from tunesmith_environments import code_links, environment, snapshot
from tunesmith_environments.installers import process
from tunesmith_environments.lock import Lock

TIMEOUT = 300.0  # seconds for one probe: the first import of a large library reads gigabytes from the disk
PACKAGE = Path(__file__).parent  # holds the program that calls a probe
_TAIL = 8  # lines of a probe's output that are quoted


def check_packages(path: Path, lock: Lock, recipe: Recipe) -> None:
    """
    Raises:
        TunesmithError: TS-ENV-007 when something is not there, or there that must not be.
    """
    there = snapshot.installed(environment.site(path, lock.python))
    wrong = [f"{package.name} {package.version} is not there" for package in lock.packages if package.name not in there]
    wrong += [f"{name} is there and must not be" for name in recipe.absent if normal(name) in there]
    if wrong:
        raise _unhealthy(recipe, "the installer has finished, but " + "; ".join(wrong[:5]))


def probe(path: Path, recipe: Recipe, probes: Sequence[str], directory: Path, watch: Watch) -> dict[str, str]:
    """Run plugins' probes in the environment at `path` and give what they told.

    Args:
        directory: the environments' directory.

    Raises:
        TunesmithError: TS-ENV-007 when one fails, with the end of what it printed.
    """
    facts: dict[str, str] = {}
    linked = code_links.make(directory, {**recipe.packages, PACKAGE.name: PACKAGE})
    for number, target in enumerate(probes):
        watch.progress("health check", number, len(probes), "probes")
        facts |= _probe(path, recipe, target, linked, watch)
    return facts


def _probe(path: Path, recipe: Recipe, target: str, linked: Path, watch: Watch) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        inherited = {name: value for name, value in environment.clean(os.environ).items() if name not in withheld(os.environ)}
        environ = {**inherited, **environment.variables(path, linked)}
        command = [path / "bin" / "python", "-m", "tunesmith_environments.probe", answer, target]
        ended = process.run(command, watch, environ=environ, cwd=linked, timeout=TIMEOUT)
        said = " | ".join(line.strip() for line in ended.text.splitlines()[-_TAIL:] if line.strip())
        if ended.timed_out:
            raise _unhealthy(recipe, f"the probe {target} did not end within {TIMEOUT:.0f} seconds. {said}")
        if ended.status or not answer.is_file():
            raise _unhealthy(recipe, f"the probe {target} ended with status {ended.status}. {said}")
        return json.loads(answer.read_text(encoding="utf-8"))


def _unhealthy(recipe: Recipe, why: str) -> TunesmithError:
    return TunesmithError(
        "TS-ENV-007", f"The environment of {', '.join(recipe.plugins) or 'the step'} was built, but does not work", why=why,
        fix="A package may have been released that does not fit: `tunesmith env build --upgrade` resolves anew. If it stays, tell the "
            "plugin's author.",
    )  # fmt: skip
