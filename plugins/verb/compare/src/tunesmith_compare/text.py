"""The comparison as a terminal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tunesmith_cli.api import columns, number, safe, terminal_width, translated
from tunesmith_cli.api import gettext as _
from tunesmith_compare.answers import AnswerRow, answer_rows, score_of
from tunesmith_compare.comparison import Comparison, Standing, not_comparable
from tunesmith_statistics import Interval

_ROWS = 3  # answers that are shown of each comparison


def comparison_text(found: Sequence[Comparison]) -> str:
    """A table for each evaluator and way of asking, the first rows that differ, and what is not comparable."""
    parts = [part for one in found for part in (_title(one), *_tables(one), *_answers(one))]
    return safe("\n\n".join([*parts, *_apart(found)]))


def leaderboard_text(found: Sequence[Comparison], metrics: Sequence[str] = ()) -> str:
    """The best model first, by each evaluator's main metric or by the metrics that are named."""
    parts = []
    for one in found:
        parts.append(_title(one))
        for metric in [name for name in one.metrics if name in metrics] or one.metrics[:1]:
            head = (_("PLACE"), _("MODEL"), _("RUN"), metric, "95 %", _("TO THE BEST"), "95 %", "P", "")
            ranking = one.ranking(metric)
            rows = [
                (str(place), at.model, one.results[at.model].run, number(at.value), _bounds(at.interval), *_beside(at), _as_good(at, place))
                for place, at in enumerate(ranking, 1)
            ]
            parts.append(columns([head, *rows], "  "))
    return safe("\n\n".join([*parts, *_apart(found)]))


def _title(one: Comparison) -> str:
    shown = ", ".join(f"{name} {value}" for name, value in one.identity.facts if name in one.first.settings)
    told = _("{evaluator}, {rows} rows", evaluator=one.evaluator, rows=one.rows) if one.rows else one.evaluator
    line = f"{told} ({' '.join(shown.split())})" if shown else told
    width = terminal_width()
    return line if len(line) <= width else line[: width - 3] + "..."


def _tables(one: Comparison) -> Iterator[str]:
    if len(one.results) < 2:
        yield "  " + _("there is one model only: nothing stands beside it")
    for metric in one.metrics:
        head = (_("MODEL"), metric, "95 %", _("TO {base}", base=one.base), "95 %", "P", _("ROWS"), "")
        rows = [
            (at.model, number(at.value), _bounds(at.interval), *_beside(at), str(at.rows or ""), translated(at.verdict))
            for at in one.standings(metric)
        ]
        yield columns([head, *rows], "  ")
    missing = [text for label in one.results if (text := not_scored_text(one, label))]
    if missing:
        yield "\n".join(f"  {text}" for text in missing)


def not_scored_text(one: Comparison, label: str) -> str:
    """Of a model: how many rows have no score, and why; empty where all have one."""
    counts = one.counts(label)
    missing = {name: count for name, count in counts.items() if name != "scored" and count}
    if not missing:
        return ""
    told = ", ".join(f"{count} {translated(name)}" for name, count in missing.items())
    return _(
        "{model}: {missing} of {all} rows have no score: {told}",
        model=label,
        missing=sum(missing.values()),
        all=sum(counts.values()),
        told=told,
    )


def _bounds(interval: Interval | None) -> str:
    return _("{low} to {high}", low=f"{interval.low:.4g}", high=f"{interval.high:.4g}") if interval else ""


def _beside(at: Standing) -> tuple[str, str, str]:
    """Difference, its interval, p."""
    if at.difference is None:
        return "", "", ""
    bounds = _("{low} to {high}", low=f"{at.difference.low:+.4g}", high=f"{at.difference.high:+.4g}")
    return f"{at.difference.value:+.4g}", bounds, f"{at.p:.2g}" if at.p is not None else ""


def _as_good(at: Standing, place: int) -> str:
    return _("as good, within chance") if place > 1 and at.verdict == "within chance" else ""


def _answers(one: Comparison) -> Iterator[str]:
    rows = answer_rows(one)
    differing = [row for row in rows if row.differs]
    if not rows or not differing:
        return
    yield "  " + _("{count} of {all} rows are answered otherwise", count=len(differing), all=len(rows))
    yield "\n\n".join("\n".join(_answer_lines(row)) for row in differing[:_ROWS])


def _answer_lines(row: AnswerRow) -> Iterator[str]:
    width = terminal_width() - 4
    yield "    " + _short(row.question, width)
    if row.expected:
        yield "    " + _short(f"{_('expected')}: {row.expected}", width)
    for label, sample in row.answers.items():
        yield "    " + _short(f"{label}: {mark(sample)}{sample.get('answer', '')}", width)


def mark(sample: object) -> str:
    """Of a sample: right, wrong, its score, or why it has none."""
    assert isinstance(sample, dict)
    if "not_scored" in sample:
        return f"[{translated(str(sample['not_scored']))}] "
    if isinstance(sample.get("right"), bool):
        return f"[{_('right') if sample['right'] else _('wrong')}] "
    score = score_of(sample)
    return f"[{number(score)}] " if score is not None else ""


def _short(text: str, width: int) -> str:
    one = " ".join(text.split())
    return one if len(one) <= width else one[: width - 3] + "..."


def _apart(found: Sequence[Comparison]) -> Iterator[str]:
    told = not_comparable(found)
    if told:
        yield "\n".join([_("not comparable"), *("  " + apart_text(*one) for one in told)])


def apart_text(first: Comparison, other: Comparison, differences: Sequence[tuple[str, str, str]]) -> str:
    """Why two ways of asking by one evaluator are not compared."""
    said = "; ".join(f"{name}: {_value(here)} / {_value(there)}" for name, here, there in differences)
    return _(
        "{evaluator} of {models} and of {others}: {differences}", evaluator=first.evaluator, models=", ".join(first.results),
        others=", ".join(other.results), differences=said,
    )  # fmt: skip


def _value(value: str) -> str:
    return _short(value[:12] if len(value) == 64 else value, 60) or "-"
