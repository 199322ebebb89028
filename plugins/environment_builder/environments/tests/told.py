"""Someone who watches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Told:
    """A watch that remembers; `during` is called at every `check`."""

    def __init__(self, during: Callable[[], Any] = lambda: None) -> None:
        self.stages: list[str] = []
        self.logged: list[str] = []
        self._during = during

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        if what not in self.stages:
            self.stages.append(what)

    def log(self, message: str) -> None:
        self.logged.append(message)

    def check(self) -> None:
        self._during()
