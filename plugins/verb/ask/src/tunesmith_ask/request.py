"""What a sentence asks for, whichever way it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """
    Args:
        data: file of rows, as it was written; empty: none is named.
        on: cards that are not here, as ``--on`` names them; empty: this machine.
        goal: one of the goals of recommendations; empty: none is said.
        budget: seconds that training may take; 0: nothing is said.
        model: URI of a described model; empty: any.
        named: kind -> provider.
        settings: by their own names, of whoever has them.
        languages, domains, tasks: what the rows are said to be, as `tunesmith data facts` calls it.
        unknown: what was not understood, in the sentence's own words.
    """

    data: str = ""
    on: str = ""
    goal: str = ""
    budget: float = 0.0
    model: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def told(self) -> list[tuple[str, str]]:
        """What was understood, for people: (what, value)."""
        rows = [("rows", self.data), ("cards", self.on), ("goal", self.goal), ("model", self.model)]
        rows += [("time", f"at most {self.budget / 3600:g} h of training")] if self.budget else []
        rows += self.named.items()
        rows += [(name, str(value)) for name, value in self.settings.items()]
        rows += [("language", ", ".join(self.languages)), ("field", ", ".join(self.domains)), ("task", ", ".join(self.tasks))]
        return [(what, value) for what, value in rows if value]

    def to_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
