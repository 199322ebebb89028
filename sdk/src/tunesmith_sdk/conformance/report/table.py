"""A report for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tunesmith_sdk.conformance.report.levels import LEVELS
from tunesmith_sdk.conformance.report.outcome import EXPECTED, FAILED, NOT_RUN, PASSED, UNEXPECTED, Outcome, Report

_WORDS = {PASSED: "ok", FAILED: "WRONG", NOT_RUN: "not run", EXPECTED: "expected", UNEXPECTED: "WRONG"}
_INDENT = 12
_SHOWN = 5  # findings of one check


def table(report: Report) -> str:
    """Each provider's checks, what there is to say of those that did not pass, and the level."""
    lines: list[str] = []
    width = max((len(outcome.check) for outcome in report.outcomes), default=0)
    for provider, outcomes in groupby(report.outcomes, key=lambda outcome: outcome.provider):
        lines.append(provider or f"{report.plugin} {report.version}")
        for _, alike in groupby(outcomes, key=lambda o: (o.state, o.what, o.fix) if o.state == NOT_RUN else o):
            lines += _alike(list(alike), width)
    lines += ["", *_summary(report)]
    return "\n".join(lines)


def _alike(outcomes: Sequence[Outcome], width: int) -> Iterator[str]:
    """Lines of one check, or of several that were not run for one reason."""
    for outcome in outcomes:
        yield f"  {_WORDS[outcome.state]:<8}  {outcome.check:<{width}}  {outcome.title}"
    one = outcomes[0]
    if one.state == PASSED:
        return
    wrong = one.state in (FAILED, UNEXPECTED)
    what = "it passes, though it is declared as an expected failure" if one.state == UNEXPECTED else one.what
    first = {"what": what, "found": one.found, "fix": one.fix}
    for each in (first, *one.further[: _SHOWN - 1]):
        said = (("", each["what"]), ("found: ", each["found"]), ("fix: " if wrong else "where: ", each["fix"]))
        yield from (f"{'':{_INDENT}}{label}{text}" for label, text in said if text)
    if len(one.further) >= _SHOWN:
        yield f"{'':{_INDENT}}... {len(one.further) - _SHOWN + 1} more (--json)"
    if wrong:
        yield f"{'':{_INDENT}}page: docs/conformance/{one.check}.md"


def _summary(report: Report) -> Iterator[str]:
    """How many of each, the level, and what the next one lacks."""
    counts: dict[str, int] = {}
    for outcome in report.outcomes:
        counts[_WORDS[outcome.state]] = counts.get(_WORDS[outcome.state], 0) + 1
    where = "the host's environment" if report.where == "host" else "an isolated environment"
    yield ", ".join(f"{counts[word]} {word}" for word in dict.fromkeys(_WORDS.values()) if word in counts) + f", in {where}"
    if report.whole:
        yield f"level: {report.level or 'none'}{_lacking(report)}"


def _lacking(report: Report) -> str:
    following = [level for level in LEVELS if report.level not in LEVELS or LEVELS.index(level) > LEVELS.index(report.level)][:1]
    if not following:
        return ""
    lacking = dict.fromkeys(o.check for o in report.outcomes if o.level == following[0] and o.state != PASSED)
    return f" ({following[0]} lacks {', '.join(lacking)})"
