"""The comparison of two runs as a terminal shows it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith_cli.display.number_format import duration, number
from tunesmith_cli.runs_diff.comparison import ABSENT, Comparison, Difference, Metric
from tunesmith_cli.text_tables import columns
from tunesmith_cli.untrusted_text import safe

_WIDTH, _ROWS = 100, 5


def page(found: Comparison, *, everything: bool = False) -> str:
    """All of it; of answers that differ the first few, or `everything`."""
    parts = [columns(list(_runs(found)))]
    parts += [f"{title}\n{body}" if body else f"{title}: the same" for title, body in (
        ("settings", _differences(found.settings)), ("rows", _rows(found)), ("environment", _differences(found.environment)),
    )]  # fmt: skip
    if found.metrics:
        parts.append(f"metrics\n{columns([_HEAD, *map(_metric, found.metrics)], '  ')}")
        if any(metric.interval for metric in found.metrics):
            parts[-1] += "\n  B - A with its 95 % interval, from the rows that both were asked"
    parts += _answers(found, everything)
    return "\n\n".join(parts)


def _runs(found: Comparison) -> Iterator[tuple[str, ...]]:
    for letter, view in (("A", found.before), ("B", found.after)):
        row = view.row
        took = duration(row.finished - row.started) if row.finished else "-"
        yield letter, row.id, row.pipeline, row.state, took


def _differences(told: Sequence[Difference]) -> str:
    rows = [(one.step, one.what, _value(one.before), "->", _value(one.after)) for one in told]
    return columns(rows, "  ") if rows else ""


def _value(value: Any) -> str:
    if value is ABSENT:
        return "-"
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(text: str, width: int = _WIDTH) -> str:
    one = " ".join(text.split())
    return one if len(one) <= width else one[: width - 3] + "..."


def _rows(found: Comparison) -> str:
    lines = []
    for one in found.rows:
        lines.append(f"  {one.step}: {one.both} in both, {one.only_before} only in A, {one.only_after} only in B")
        lines += [f"    {letter}: {_short(row)}" for letter, rows in (("A", one.before), ("B", one.after)) for row in rows]
    return safe("\n".join(lines))


_HEAD = ("STEP", "METRIC", "A", "B", "B - A", "95 %", "ROWS")


def _metric(one: Metric) -> tuple[str, ...]:
    values = [number(value) if value is not None else "-" for value in (one.before, one.after)]
    between = f"{one.after - one.before:+.4g}" if one.before is not None and one.after is not None else "-"
    if not one.interval:
        return one.step, one.name, *values, between, "", ""
    sure = f"{one.interval.low:+.4g} to {one.interval.high:+.4g}"
    return one.step, one.name, *values, between, sure + ("" if one.interval.certain else " (within chance)"), str(one.rows)


def _answers(found: Comparison, everything: bool) -> Iterator[str]:
    for name in found.steps:
        told, asked = found.answers(name), found.samples[name][0]
        if not told:
            continue
        shown = told if everything else told[:_ROWS]
        lines = [f"samples of {name}: {len(told)} of {len(asked)} answered otherwise"]
        for before, after in shown:
            lines += ["", *_wrapped("  ", str(before["question"]))]
            if before.get("expected") not in (None, ""):
                lines += _wrapped("  expected  ", str(before["expected"]))
            lines += [*_wrapped(f"  A {_mark(before)}", _answer(before)), *_wrapped(f"  B {_mark(after)}", _answer(after))]
        if len(shown) < len(told):
            lines += ["", f"  ... {len(told) - len(shown)} more (--all, --json)"]
        yield safe("\n".join(lines))


def _answer(sample: Any) -> str:
    answer = sample.get("answer", "")
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _mark(sample: Any) -> str:
    if isinstance(sample.get("right"), bool):
        return f"{'right' if sample['right'] else 'wrong':<8}"
    score = sample.get("score")
    return f"{number(score):<8}" if isinstance(score, (int, float)) else " " * 8


def _wrapped(head: str, text: str) -> list[str]:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH - len(head)) or [""]
    return [head + lines[0], *(" " * len(head) + line for line in lines[1:])]
