"""What came of the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tunesmith_sdk.conformance.report.levels import reached

PASSED, FAILED, NOT_RUN, EXPECTED, UNEXPECTED = "passed", "failed", "not run", "expected failure", "passes, though expected to fail"


@dataclass(frozen=True)
class Outcome:
    """What came of one check of one provider.

    Args:
        provider: ``kind.name``; empty for a check of the whole plugin.
        state: passed, failed, not run, expected failure (with its reason in `what`), or passes, though expected to fail (an error).
        what, found, fix: a sentence, what was measured, what to do.
        further: the same of what else the check found.
        notes: what the check looked at -> what came of it; of `settings.alive`, each setting and where it shows.
    """

    check: str
    provider: str
    level: str
    title: str
    state: str
    what: str = ""
    found: str = ""
    fix: str = ""
    seconds: float = 0.0
    further: tuple[Mapping[str, str], ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """``kind.name:check``, or the check alone."""
        return f"{self.provider}:{self.check}" if self.provider else self.check

    @property
    def ok(self) -> bool:
        return self.state not in (FAILED, UNEXPECTED)

    def said(self) -> str:
        """What there is to say, for people."""
        mine = {"what": self.what, "found": self.found, "fix": self.fix}
        return "\n".join(" ".join(filter(None, _parts(one))) for one in (mine, *self.further))


def _parts(one: Mapping[str, str]) -> tuple[str, str, str]:
    return one["what"], one["found"] and f"({one['found']})", one["fix"] and f"-> {one['fix']}"


@dataclass(frozen=True)
class Report:
    """An examination of one plugin.

    Args:
        where: ``host`` or ``isolated``: the environment its workers ran in.
        whole: all checks were asked for; else there is no level.
        libraries: Python and what the plugin runs on, name -> version.
    """

    plugin: str
    version: str
    where: str
    outcomes: Sequence[Outcome]
    whole: bool = True
    libraries: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(outcome.ok for outcome in self.outcomes)

    @property
    def level(self) -> str:
        """bronze, silver, gold, or empty."""
        return reached((outcome.level, outcome.state) for outcome in self.outcomes) if self.whole else ""

    def to_json(self) -> dict[str, Any]:
        from dataclasses import asdict

        listed = [asdict(outcome) | {"page": f"docs/conformance/{outcome.check}.md"} for outcome in self.outcomes]
        return {
            "plugin": self.plugin, "version": self.version, "where": self.where, "libraries": dict(self.libraries), "ok": self.ok,
            "level": self.level, "checks": listed,
        }  # fmt: skip
