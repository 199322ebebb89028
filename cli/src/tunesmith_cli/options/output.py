"""``--output DIR``: a copy of what a step made, outside the store."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.errors import TunesmithError, UserError

if TYPE_CHECKING:
    from tunesmith.planning.plan import Plan
    from tunesmith.running.outcome import RunOutcome


def check_output(directory: Path | None) -> None:
    """
    Raises:
        UserError: TS-CLI-009 when there is something at that place already, TS-CLI-010 when nothing can be written there, so that nothing
            is computed for a copy that can't be made.
    """
    if directory is None:
        return
    import tempfile

    there = directory.exists() or directory.is_symlink()
    if there and not directory.is_dir():
        raise UserError("TS-CLI-009", f"--output {directory} is a file", fix="Name a directory that is empty or not there yet.")
    if there and any(directory.iterdir()):
        raise UserError("TS-CLI-009", f"--output {directory} is not empty", fix="Name a directory that is empty or not there yet.")
    place = next(folder for folder in (directory.absolute(), *directory.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(prefix=".tunesmith-", dir=place):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError("TS-CLI-010", f"--output {directory} can't be written", why=f"{place}: {why}", fix="Name another place.") from None


def write_output(outcome: RunOutcome, plan: Plan, step: str, directory: Path, as_json: bool, home: Path) -> None:
    """Copy the files of what the step made; of a step over several, each into a directory of its own.

    Copies, not links: the store's files are shared by every later run, and must not change when these are edited.

    Raises:
        TunesmithError: TS-STORE-002 when what is in the store is damaged; the next run makes it again.
    """
    from tunesmith.running.store.damaged_artifacts import damaged
    from tunesmith.running.store.store import Store

    store = Store(home)
    made = {
        planned.name: outcome.artifacts[planned.name]
        for planned in plan.steps
        if planned.group == step and planned.name in outcome.artifacts
    }
    for artifact in made.values():
        if problem := store.problem(artifact.digest, math.inf):
            store.set_aside(artifact.digest)
            raise damaged(artifact.digest, problem)
    try:
        for name, artifact in made.items():
            target = directory if len(made) == 1 else directory / name.partition(":")[2].replace(":", "-")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(artifact.path, target, copy_function=_copy, dirs_exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise TunesmithError(
            "TS-CLI-010", f"{directory} could not be written", why=why, fix="What was made is in the store; run again."
        ) from None
    print(json.dumps({"event": "output", "directory": str(directory)}) if as_json else f"  copied to: {directory}")


def _copy(source: str, target: str) -> str:
    shutil.copyfile(source, target)  # contents only: what is read-only in the store may be edited here
    return target
