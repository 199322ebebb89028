"""Commands as a user types them, in this process: for tests of what a plugin puts on the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tunesmith_cli.api import main


@dataclass
class Told:
    """What a command gave back."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class World:
    """A project, and a way to type commands in it: ``world("env", "list", "--json").json``.

    Args:
        folder: the project's.
        site: a folder of packages that stands for what is installed.
    """

    def __init__(self, folder: Path, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.site, self._capsys = folder, site, capsys

    def __call__(self, *words: str) -> Told:
        self._capsys.readouterr()
        status = main(words)
        out, err = self._capsys.readouterr()
        return Told(status, out, err)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path
