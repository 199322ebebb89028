"""Who is told how a long work goes on, and may stop it."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """What `Environments.ensure` reports to."""

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None:
        """So much of a part of the work is done."""

    def log(self, message: str) -> None:
        """Something that a person should know."""

    def check(self) -> None:
        """Called at least every 0.1 s; raises to cancel."""


class Silent:
    """Nobody is told."""

    def progress(self, what: str, done: float, total: float | None, unit: str) -> None: ...

    def log(self, message: str) -> None: ...

    def check(self) -> None: ...
