"""What a sentence asks for, whichever way it was understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tunesmith_cli.api import columns
from tunesmith_cli.api import gettext as _


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
        refused: providers that shall not take part: ``adapter.lora``.
        either: cards that a name may mean which has several sizes of memory, as ``--on`` names them, the smallest first; empty: one.
        files: of rows that are named beside the first, which are there.
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
    refused: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def told(self) -> list[tuple[str, str]]:
        """What was understood, for people: (what, value)."""
        rows = [(_("rows"), self.data), (_("cards"), self.on), (_("goal"), self.goal), (_("model"), self.model)]
        rows += [(_("time"), _("at most {hours} h of training", hours=f"{self.budget / 3600:g}"))] if self.budget else []
        rows += self.named.items()
        rows += [(_("without"), ", ".join(name.partition(".")[2] for name in self.refused))]
        rows += [(name, str(value)) for name, value in self.settings.items()]
        rows += [(_("language"), ", ".join(self.languages)), (_("field"), ", ".join(self.domains)), (_("task"), ", ".join(self.tasks))]
        return [(what, value) for what, value in rows if value]

    @property
    def page(self) -> str:
        """What was understood and what was not, for people."""
        told = self.told()
        lines = [
            _("understood") if told else _("understood: nothing"),
            *([columns([(f"  {what}", value) for what, value in told])] if told else []),
        ]
        lines += [_("not understood: {words}", words=", ".join(f"`{word}`" for word in self.unknown))] if self.unknown else []
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
