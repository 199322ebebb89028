"""One thing that was looked for in the rows of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ANY = "there is one"  #: a rule: the first is a warning
KEPT = 200  # lines that are told of each


@dataclass(frozen=True)
class Finding:
    """
    Args:
        name: what was looked for, as a key.
        what: the same in words, as a heading.
        count, of: how many rows it holds for, of how many that were looked at.
        lines: the first `KEPT` of them, as lines of the file.
        told: what else is said of it, a clause; `figures`: the numbers in that, by name.
        rule: when it is a warning, as a clause after "where".
        warning: whether it is one.
        fix: the command that fixes it; empty where none does.
    """

    name: str
    what: str
    count: int
    of: int
    lines: tuple[Any, ...] = ()
    told: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    rule: str = ""
    warning: bool = False
    fix: str = ""

    @classmethod
    def of_lines(cls, name: str, what: str, lines: Iterable[Any], of: int, *, share: float = 0.0, kept: int = KEPT) -> Finding:
        """A finding that is a warning from the first line on, or where more than a share of the rows have it."""
        found = tuple(lines)
        rule = f"it is more than {share:.0%} of the rows" if share else ANY
        return cls(name, what, len(found), of, found[:kept], rule=rule, warning=len(found) > share * of)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        return cls(**{**data, "lines": tuple(data["lines"])})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
