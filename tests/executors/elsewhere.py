"""Steps of the tiny pipeline that an executor has run elsewhere, and a host of such a run that may be killed.

``python elsewhere.py DIRECTORY run|resume EXECUTOR SETTINGS`` prints the outcome as JSON.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clusters import SLURM, ByName
from tiny_plans import Place, step

from tunesmith.config import load_config
from tunesmith.contracts.kinds.environment_builder import Recipe
from tunesmith.contracts.settings import schema_of
from tunesmith.errors import UserError
from tunesmith.planning.placement.environments import recipe_of
from tunesmith.planning.plan import Choice, PlannedStep
from tunesmith.plugins.records import ProviderRecord
from tunesmith.plugins.registry import load_registry
from tunesmith_cli.commands.resume import find_run

ISOLATED = ("ray",)  # executors whose libraries are not installed for the tests
QUICK = {"heartbeat_timeout": 15.0}


def executor(name: str, **settings: Any) -> Choice:
    """An executor by the name of its plugin, and its settings."""
    module = f"tunesmith_{name}"
    cls = next(cls for key, cls in vars(importlib.import_module(f"{module}.settings")).items() if key.lower() == f"{name}settings")
    target = f"{module}.executor:{name.capitalize()}"
    record = ProviderRecord(
        "executor", name, "", target, f"tunesmith-{name}", "0.1.0", settings=f"{module}.settings:{cls.__name__}", schema=schema_of(cls)
    )
    return Choice(record, QUICK | settings)


def away(planned: PlannedStep, cluster: ByName = SLURM, **settings: Any) -> PlannedStep:
    """The step, to be run by an executor."""
    return _handed_on(planned, cluster.name, {**cluster.settings, **settings})


def _handed_on(planned: PlannedStep, name: str, settings: Mapping[str, Any]) -> PlannedStep:
    return dataclasses.replace(planned, executor=executor(name, **settings), launcher=isolated(name))


def isolated(name: str) -> Recipe | None:
    """Of the isolated environment in which an executor of this repository works where what it runs on is not installed here."""
    if name not in ISOLATED:
        return None
    registry = load_registry(load_config())
    return recipe_of(registry, (registry.plugin(registry.provider("executor", name)),), "")


def counted(cluster: ByName = SLURM, **settings: Any) -> PlannedStep:
    """A count that takes some seconds, with a checkpoint for each number."""
    return away(_count(), cluster, **settings)


def _count() -> PlannedStep:
    return step("a", to=40, pause=0.05)


class Host:
    """A host in a process of its own."""

    def __init__(self, place: Place, what: str, cluster: ByName = SLURM, **settings: Any) -> None:
        told = json.dumps({**cluster.settings, **settings})
        command = [sys.executable, __file__, str(place.home.parent), what, cluster.name, told]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def outcome(self) -> dict[str, Any]:
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, err
        return json.loads(out)


def reached(place: Place, number: int, seconds: float = 60) -> None:
    """Wait until the step `a` has counted so far."""
    when(lambda: numbers(place) >= number, seconds)


def numbers(place: Place) -> int:
    """How far the step `a` has counted."""
    for file in place.home.rglob("count.json"):
        with contextlib.suppress(OSError):
            return len(json.loads(file.read_text()))
    return 0


def when(true: Callable[[], Any], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def meanwhile(what: Callable[[], None]) -> threading.Thread:
    """Done in a thread beside the run."""
    thread = threading.Thread(target=what, daemon=True)
    thread.start()
    return thread


def main() -> None:
    place, run = Place.at(Path(sys.argv[1])), None
    if sys.argv[2] == "resume":
        with contextlib.suppress(UserError):  # killed before it was noted, or finished already
            run, _ = find_run(place.home)
    outcome = place.run(_handed_on(_count(), sys.argv[3], json.loads(sys.argv[4])), resume=run)
    told = {name: artifact.digest for name, artifact in outcome.artifacts.items()}
    print(json.dumps({"state": outcome.state, "error": str(outcome.error or ""), "digests": told}))


if __name__ == "__main__":
    main()
