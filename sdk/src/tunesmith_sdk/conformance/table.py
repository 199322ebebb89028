"""A report for the terminal."""

from __future__ import annotations

from tunesmith_sdk.conformance.levels import LEVELS
from tunesmith_sdk.conformance.outcome import EXPECTED, FAILED, NOT_RUN, PASSED, UNEXPECTED, Report

_WORDS = {PASSED: "ok", FAILED: "WRONG", NOT_RUN: "not run", EXPECTED: "expected", UNEXPECTED: "WRONG"}


def table(report: Report) -> str:
    """Each provider's checks, what there is to say of those that did not pass, and the level."""
    lines: list[str] = []
    width = max((len(outcome.check) for outcome in report.outcomes), default=0)
    for provider in dict.fromkeys(outcome.provider for outcome in report.outcomes):
        lines.append(provider or f"{report.plugin} {report.version}")
        for outcome in (outcome for outcome in report.outcomes if outcome.provider == provider):
            lines.append(f"  {_WORDS[outcome.state]:<8}  {outcome.check:<{width}}  {outcome.title}")
            if outcome.state != PASSED:
                what = "it passes, though it is declared as an expected failure" if outcome.state == UNEXPECTED else outcome.what
                lines += [f"{'':12}{text}" for text in (what, outcome.found, outcome.fix) if text]
    counts = {word: sum(outcome.state == word for outcome in report.outcomes) for word in _WORDS}
    lines += ["", ", ".join(f"{count} {word}" for word, count in counts.items() if count) + f", in {_where(report.where)}"]
    if report.whole:
        lines.append(f"level: {report.level or 'none'}" + _lacking(report))
    return "\n".join(lines)


def _where(where: str) -> str:
    return "the host's environment" if where == "host" else "an environment of its own"


def _lacking(report: Report) -> str:
    """What the next level lacks."""
    following = [level for level in LEVELS if report.level not in LEVELS or LEVELS.index(level) > LEVELS.index(report.level)][:1]
    if not following:
        return ""
    lacking = dict.fromkeys(o.check for o in report.outcomes if o.level == following[0] and o.state != PASSED)
    return f" ({following[0]} lacks {', '.join(lacking)})"
