"""The comparison of two runs as a terminal shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tunesmith_cli.display.number_format import duration, number
from tunesmith_cli.runs_diff.comparison import ABSENT, Comparison, Difference, Metric
from tunesmith_cli.text_tables import columns
from tunesmith_cli.translation.catalogs import gettext as _
from tunesmith_cli.translation.catalogs import translated
from tunesmith_cli.translation.east_asian import padded, text_width, wrap
from tunesmith_cli.untrusted_text import safe

_WIDTH, _ROWS = 100, 5


def page(found: Comparison, *, everything: bool = False) -> str:
    """All of it; of answers that differ the first few, or `everything`."""
    parts = [columns(list(_runs(found)))]
    parts += [f"{title}\n{body}" if body else _("{what}: the same", what=title) for title, body in (
        (_("settings"), _differences(found.settings)), (_("rows"), _rows(found)), (_("environment"), _differences(found.environment)),
    )]  # fmt: skip
    if found.metrics:
        head = (_("STEP"), _("METRIC"), "A", "B", "B - A", "95 %", _("ROWS"))
        parts.append(f"{_('metrics')}\n{columns([head, *map(_metric, found.metrics)], '  ')}")
        if any(metric.interval for metric in found.metrics):
            parts[-1] += "\n  " + _("B - A with its 95 % interval, from the rows that both were asked")
    parts += _answers(found, everything)
    return "\n\n".join(parts)


def _runs(found: Comparison) -> Iterator[tuple[str, ...]]:
    for letter, view in (("A", found.before), ("B", found.after)):
        row = view.row
        took = duration(row.finished - row.started) if row.finished else "-"
        yield letter, row.id, row.pipeline, translated(row.state), took


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
        counts = {"step": one.step, "both": one.both, "before": one.only_before, "after": one.only_after}
        lines.append("  " + _("{step}: {both} in both, {before} only in A, {after} only in B", **counts))
        lines += [f"    {letter}: {_short(row)}" for letter, rows in (("A", one.before), ("B", one.after)) for row in rows]
    return safe("\n".join(lines))


def _metric(one: Metric) -> tuple[str, ...]:
    values = [number(value) if value is not None else "-" for value in (one.before, one.after)]
    between = f"{one.after - one.before:+.4g}" if one.before is not None and one.after is not None else "-"
    if not one.interval:
        return one.step, one.name, *values, between, "", ""
    sure = _("{low} to {high}", low=f"{one.interval.low:+.4g}", high=f"{one.interval.high:+.4g}")
    sure += f", p = {one.p:.2g}" if one.p is not None else ""
    return one.step, one.name, *values, between, sure + ("" if one.interval.certain else _(" (within chance)")), str(one.rows)


def _answers(found: Comparison, everything: bool) -> Iterator[str]:
    for name in found.steps:
        told, asked = found.answers(name), found.samples[name][0]
        if not told:
            continue
        shown = told if everything else told[:_ROWS]
        lines = [_("samples of {step}: {count} of {all} answered otherwise", step=name, count=len(told), all=len(asked))]
        for before, after in shown:
            lines += ["", *_wrapped("  ", str(before["question"]))]
            if before.get("expected") not in (None, ""):
                lines += _wrapped(f"  {_('expected')}  ", str(before["expected"]))
            lines += [*_wrapped(f"  A {_mark(before)}", _answer(before)), *_wrapped(f"  B {_mark(after)}", _answer(after))]
        if len(shown) < len(told):
            lines += ["", "  " + _("... {count} more (--all, --json)", count=len(told) - len(shown))]
        yield safe("\n".join(lines))


def _answer(sample: Any) -> str:
    answer = sample.get("answer", "")
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _mark(sample: Any) -> str:
    if isinstance(sample.get("right"), bool):
        return padded(_("right") if sample["right"] else _("wrong"), 8)
    score = sample.get("score")
    return f"{number(score):<8}" if isinstance(score, (int, float)) else " " * 8


def _wrapped(head: str, text: str) -> list[str]:
    return wrap(" ".join(text.split()), _WIDTH, head, " " * text_width(head)) or [head]
