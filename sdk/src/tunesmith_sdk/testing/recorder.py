"""A reporter that keeps what a run tells, for tests."""

from __future__ import annotations

from typing import Any

from tunesmith.running.reporter import Silent


class Recorder:
    """Keeps all that it is told, as (method, arguments)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(Silent, name):
            raise AttributeError(name)
        return lambda *arguments, **named: self.told.append((name, (*arguments, *named.values())))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every call of a method."""
        return [arguments for told, arguments in self.told if told == name]
