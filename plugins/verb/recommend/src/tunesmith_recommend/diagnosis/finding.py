"""A finding about a run, and where it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tunesmith_cli.api import write_whole
from tunesmith_recommend.choice.rules import Rule, read_rules

#: In a run's directory: the findings as JSON, a list. The report shows them, whoever has written them.
FILE = "findings.json"


@cache
def rules() -> Mapping[str, Rule]:
    """Those by which runs are looked at, by their ids."""
    return read_rules(Path(__file__).parent / "rules.json")


@dataclass(frozen=True)
class Finding:
    """
    Args:
        rule: its id; `text`, `source`: what it says, and where from.
        step: of the run; empty for the whole.
        what: a sentence.
        evidence: what the run measured that makes it hold, a clause each.
        fix: what to do, a sentence; `command`: the same to be typed, where it can be.
    """

    rule: str
    step: str
    what: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    command: str = ""
    text: str = ""
    source: str = ""

    @classmethod
    def of(cls, rule: Rule, step: str, what: str, *evidence: str, fix: str = "", command: str = "") -> Finding:
        return cls(rule.id, step, what, evidence, fix, command, rule.text, rule.source)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def write_findings(directory: Path, findings: list[Finding]) -> None:
    """Beside the run's plan, in one go."""
    write_whole(directory / FILE, json.dumps([one.to_json() for one in findings], indent=1, ensure_ascii=False))
