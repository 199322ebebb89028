"""The one folder that a client may name files of, whatever it writes: itself, in a pipeline or in an assignment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tunesmith.errors import UserError

_URI = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_REMOTE = ("http", "https")  # what follows is no path of this machine


class AllowedRoot:
    """
    Args:
        folder: that files may lie in, at any depth; symbolic links count as where they lead.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.realpath(folder))

    def inside(self, name: str, base: Path | None = None) -> Path:
        """A file that a client names, as a path relative to the root.

        Args:
            base: folder that the name starts from; default: the root.

        Raises:
            UserError: TS-MCP-002 when it lies outside.
        """
        clean = name.replace("\0", "")  # which no path has, and no function of paths takes
        path = Path(os.path.realpath((base or self.folder) / os.path.expanduser(clean)))
        if clean != name or not path.is_relative_to(self.folder):
            raise UserError(
                "TS-MCP-002", f"{clean} lies outside the folder that this server may use",
                why=f"It was started for {self.folder}.", fix="Name a file in it, or start the server with another --root.",
            )  # fmt: skip
        return path.relative_to(self.folder)

    def check_pipeline(self, file: Path, assignments: Sequence[str] = ()) -> None:
        """Look at each text in a pipeline, for any of them may name a file.

        Args:
            file: relative to the root.
            assignments: ``steps.tune.data=rows.jsonl``, which count in place of what the file says.

        Raises:
            UserError: TS-MCP-002 when one leads outside.
        """
        path = self.folder / file
        path = path / "tunesmith.yaml" if path.is_dir() else path
        try:  # every scalar, also one that a later one of its key replaces
            said = [event.value for event in yaml.parse(path.read_text(encoding="utf-8")) if isinstance(event, yaml.ScalarEvent)]
        except (OSError, ValueError, yaml.YAMLError):
            said = []  # the planner says what is wrong with it, with its line
        self.check(said, path.parent)
        for assignment in assignments:
            self.check(assignment.partition("=")[2], path.parent)

    def check(self, value: Any, base: Path) -> None:
        """Look at each text of a value. Raises as `inside` does."""
        for text in _texts(value):
            if "\n" in text:
                continue  # no name of a file that is asked for
            uri = _URI.match(text)
            if not uri:
                self.inside(text, base)
            elif uri[1].lower() not in _REMOTE:
                self.inside(uri[2], base)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
