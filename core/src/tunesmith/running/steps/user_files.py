"""The user's own files that a step reads, watched while it does: what is kept was made of what the plan says, or is not kept."""

from __future__ import annotations

import os
from pathlib import Path

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.digests import HashedFile
from tunesmith.errors import UserError
from tunesmith.planning.plan import PlannedStep, Source
from tunesmith.running.run_context import RunContext


class UserFiles:
    """The files as they are when a step begins, and those that they name.

    Raises:
        UserError: TS-RUN-025 when one is not what it was when it was planned.
    """

    def __init__(self, context: RunContext, step: PlannedStep) -> None:
        self._digests = context.digests
        self._sources = {name: source for name, source in step.inputs.items() if source.file is not None}
        self._seen = [self._look(source) for source in self._sources.values()]
        self._seen += [self._again(seen) for source in self._sources.values() for seen in source.others]

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """By input name, as the step is given them."""
        return {name: Artifact(source.format, _path(source), source.digest) for name, source in self._sources.items()}

    def untouched(self) -> bool:
        """Whether everything that was read of them since was what was planned with."""
        return all(map(self._digests.holds, self._seen))

    def _look(self, source: Source) -> HashedFile:
        path = _path(source)
        seen = self._digests.seen(path) if os.path.exists(path) else None
        if seen is None or seen.digest != source.digest:
            raise _changed(path)
        return seen

    def _again(self, seen: HashedFile) -> HashedFile:
        if (found := self._digests.again(seen)) is None:
            raise _changed(seen.path)
        return found


def _path(source: Source) -> Path:
    assert source.file is not None
    return source.file


def _changed(path: Path) -> UserError:
    there = os.path.exists(path)
    return UserError(
        "TS-RUN-025", f"{path} {'has changed since the run was planned' if there else 'is not there any more'}",
        fix="Run the pipeline again, which plans with the file as it is: tunesmith run",
    )  # fmt: skip


def unsteady(step: str) -> UserError:
    return UserError(
        "TS-RUN-025", f"A file that `{step}` reads was written each time while it was read", why="Something keeps writing to it.",
        fix="Wait until it is written, or give the pipeline a copy of it; then run it again: tunesmith run",
    )  # fmt: skip
