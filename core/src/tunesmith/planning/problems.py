"""What planning finds on its way: problems, warnings, decisions. Gathered, so that a person hears of all at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tunesmith.errors import Problems, TunesmithError, UserError
from tunesmith.planning.plan import Decision

ALSO = "; also for "
_LINE = re.compile(r"[^:\s]+:(\d+): ")


@dataclass
class Notes:
    problems: list[TunesmithError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def problem(self, code: str, what: str, *, why: str = "", fix: str = "") -> None:
        self.adopt(UserError(code, what, why=why, fix=fix))

    def adopt(self, error: TunesmithError, where: str = "") -> None:
        """Take in an error, told with its place in the pipeline; each only once."""
        for found in getattr(error, "problems", (error,)):
            what = f"{where}: {found.what}" if where else found.what
            if not any((p.code, p.what) == (found.code, what) for p in self.problems):
                self.problems.append(TunesmithError(found.code, what, why=found.why, fix=found.fix, user=found.user))

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def decide(self, step: str, what: str, reason: str) -> None:
        self.decisions.append(Decision(step, what, reason))

    def take(self, others: Notes) -> None:
        """All that others have noted."""
        for error in others.problems:
            self.adopt(error)
        for sentence in others.warnings:
            self.warn(sentence)
        for decision in others.decisions:
            self.decide(decision.step, decision.what, decision.reason)

    def extend(self, step: str, what: str, other: str) -> None:
        """Another one that a decision was made for."""
        for index, decision in enumerate(self.decisions):
            if (decision.step, decision.what) == (step, what):
                joined = f", {other}" if ALSO in decision.reason else f"{ALSO}{other}"
                self.decisions[index] = Decision(step, what, decision.reason + joined)

    def raise_problems(self) -> None:
        """Raise all problems, in the order of the file's lines."""
        if self.problems:
            lines = [_LINE.match(problem.what) for problem in self.problems]
            ranked = sorted(zip(lines, self.problems, strict=True), key=lambda pair: int(pair[0][1]) if pair[0] else 0)
            raise Problems(problem for _, problem in ranked)
