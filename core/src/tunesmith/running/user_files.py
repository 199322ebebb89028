"""The user's own files that a step reads, watched while it does: what is kept was made of what the plan says, or is not kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.contracts.artifacts import Artifact
from tunesmith.contracts.digests import Seen
from tunesmith.errors import UserError
from tunesmith.planning.plan import PlannedStep, Source
from tunesmith.running.context import Context


class UserFiles:
    """The files as they are when a step begins.

    Raises:
        UserError: TS-RUN-025 when one is not what it was when it was planned.
    """

    def __init__(self, context: Context, step: PlannedStep) -> None:
        self._context, self._step = context, step
        self._sources = {name: source for name, source in step.inputs.items() if source.file is not None}
        self._seen = {name: self._look(source) for name, source in self._sources.items()}
        self._media: dict[str, dict[str, Any]] = {name: {} for name in self._sources}
        for name, source in self._sources.items():
            if self._digest_of_media(name, source) != source.media:
                raise _changed(source)

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """By input name, as the step is given them."""
        return {name: Artifact(source.format, _path(source), source.digest) for name, source in self._sources.items()}

    def untouched(self) -> bool:
        """Whether everything that was read of them since was what was planned with."""
        return all(self._context.digests.holds(self._seen[name]) and self._same_media(name) for name in self._sources)

    def _look(self, source: Source) -> Seen:
        path = _path(source)
        seen = self._context.digests.seen(path) if os.path.exists(path) else None
        if seen is None or seen.digest != source.digest:
            raise _changed(source)
        return seen

    def _same_media(self, name: str) -> bool:
        before = _contents(self._media[name])
        return self._digest_of_media(name, self._sources[name]) == self._sources[name].media and _contents(self._media[name]) == before

    def _digest_of_media(self, name: str, source: Source) -> str:
        """The digest of what the rows of a file name, as it is now."""
        if not source.media:
            return ""
        from tunesmith.planning.row_media import media_digest

        schema = self._step.choices[self._step.verb.main_kind].record.facts["row"]
        return media_digest(_path(source), source.digest, schema, self._media[name], self._context.roots)[0]


def _path(source: Source) -> Path:
    assert source.file is not None
    return source.file


def _contents(memory: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    return [(name, looks, content) for found in memory.values() for name, (_, looks, content, _) in found.items()]


def _changed(source: Source) -> UserError:
    path = _path(source)
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
