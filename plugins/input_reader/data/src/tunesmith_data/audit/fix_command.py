"""The command that fixes what was found in a file's rows."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tunesmith_data.audit.finding import Finding

_BY_TOKENS = ("refused", "equal-pairs", "different-prompts", "too-long", "emptied", "endless", "untrained", "all-trained")
_BY_LINES = ("nearly-equal-pairs",)
TOLD = 50  #: lines that a command names; where there are more, none is told


@dataclass(frozen=True)
class Inspected:
    """What was inspected, as it was typed.

    Args:
        options: columns and filter, as words of the command.
        tokens: the model, the objective and the length, so too; nothing where characters were counted.
        against: the rows for evaluation with their filter, so too.
    """

    file: str
    options: Sequence[str] = ()
    tokens: Sequence[str] = ()
    validation: str = ""
    against: Sequence[str] = ()

    def with_fixes(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings, each that holds for a row with its command."""
        return tuple(replace(finding, fix=self._command(finding)) if finding.count else finding for finding in findings)

    def _command(self, finding: Finding) -> str:
        how: Sequence[str] = ()
        if finding.name in _BY_TOKENS:
            how = self.tokens
        elif finding.name.startswith("pii-"):
            how = ("--mask-pii",)
        elif finding.name.startswith("contamination."):
            how = self.against
        elif finding.name == "shared-prompts":
            how = ("--without", _numbers([here for _, here in finding.lines])) if finding.count <= TOLD else ()
        elif finding.name in _BY_LINES and finding.count <= TOLD:
            how = ("--without", _numbers(finding.lines))
        return shlex.join(["tunesmith", "data", "fix", self.file, *self.options, *how, "--output", "FILE"]) if how else ""


def _numbers(lines: Iterable[int]) -> str:
    return ",".join(map(str, sorted(set(lines))))
