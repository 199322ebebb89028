"""The comparison as one HTML page: no script, nothing from elsewhere, in the report's look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import tunesmith
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import language, size, translated
from tunesmith_compare.answers import AnswerRow, answer_rows
from tunesmith_compare.comparison import BETTER, WORSE, Comparison, Standing, not_comparable
from tunesmith_compare.result import Model
from tunesmith_compare.text import apart_text, mark, not_scored_text
from tunesmith_report.api import CSS, number, text
from tunesmith_statistics import Interval

SHOWN = 50  # rows with answers, of each evaluator
WIDTH, HEIGHT = 150, 22  # of an interval's picture
_YES, _NO = '<span class="yes">✓</span> ', '<span class="no">✗</span> '
_OWN_CSS = """
.picture{width:150px;margin:0}.picture line{stroke:var(--muted);stroke-width:2}.picture .base{stroke:var(--line);stroke-width:1}
.picture circle{fill:var(--accent)}td .better{color:var(--good)}td .worse{color:var(--bad)}th .sub{display:block;font-weight:400}
details{margin:.4rem 0 .8rem}td.mono{white-space:nowrap}
.scroll td:first-child,.scroll th:first-child{position:sticky;left:0;background:var(--paper)}.scroll th:first-child{background:var(--panel)}
.answers{border:1px solid var(--line);border-radius:10px;overflow:hidden;font-size:.93rem}
.answer{padding:.8rem 1rem;border-top:1px solid var(--line);overflow-wrap:anywhere;white-space:pre-wrap}.answer:first-child{border-top:0}
.answer p{margin:0}.answer.unlike{box-shadow:inset 3px 0 var(--accent)}
.answer dl{display:grid;grid-template-columns:minmax(6rem,11rem) 1fr;gap:.25rem 1rem;margin-top:.45rem}
.answer dt,.answer dd{margin:0}.answer dt{color:var(--muted);font-weight:400}.answer dd{color:var(--ink)}
@media (max-width:620px){.answer dl{grid-template-columns:1fr;gap:0}.answer dt{margin-top:.45rem;font-size:.82rem}}
"""


def page_of(found: Sequence[Comparison], *, ranked: bool = False, shown: int = SHOWN) -> str:
    """
    Args:
        ranked: a leaderboard: the best first, without answers.
        shown: most rows with answers, of each evaluator.
    """
    title = _("Leaderboard") if ranked else _("Comparison")
    parts = [_head(title, found), *_apart(found)]
    parts += [part for one in found for part in _ranking(one)] if ranked else [_overview(found)]
    if not ranked:
        parts += [part for one in found for part in (*_metrics(one), *_answers(one, shown))]
    parts.append(_models(found))
    foot = _("Made by Tunesmith {version}.", version=tunesmith.__version__)
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{text(title)}</title><style>{CSS}{_OWN_CSS}</style></head>\n'
        f"<body><main>\n{chr(10).join(parts)}\n<footer>{text(foot)}</footer></main></body></html>\n"
    )


def _head(title: str, found: Sequence[Comparison]) -> str:
    results = [result for one in found for result in one.results.values()]
    tiles = [
        (len({label for one in found for label in one.results}), _("models")),
        (len({result.evaluator for result in results}), _("evaluators")),
        (len({result.run for result in results}), _("runs")),
    ]
    drawn = "".join(f'<div class="tile"><b>{count}</b><span>{text(name)}</span></div>' for count, name in tiles)
    return f'<header><h1>{text(title)}</h1><div class="tiles">{drawn}</div></header>'


def _apart(found: Sequence[Comparison]) -> Iterator[str]:
    told = not_comparable(found)
    if told:
        lines = "".join(f"<p>{text(apart_text(*one))}</p>" for one in told)
        yield f'<div class="trouble"><b>{text(_("not comparable"))}</b>{lines}</div>'


def _overview(found: Sequence[Comparison]) -> str:
    """Models down, each evaluator's main metric across."""
    mains = [(one, one.metrics[0]) for one in found if one.metrics]
    models = list(dict.fromkeys(label for one in found for label in one.results))
    head = "".join(f'<th class="num">{text(one.evaluator)}<span class="sub">{text(_metric(one, name))}</span></th>' for one, name in mains)
    body = ""
    for label in models:
        cells = []
        for one, name in mains:
            at = next((at for at in one.standings(name) if at.model == label), None)
            cells.append(f'<td class="num">{number(at.value)}{_verdict(at)}</td>' if at else '<td class="num muted">–</td>')
        body += f"<tr><td>{text(label)}</td>{''.join(cells)}</tr>"
    return _table(f"<th>{text(_('model'))}</th>{head}", body, _("Overview"), _("each evaluator's main metric"))


def _metrics(one: Comparison) -> Iterator[str]:
    told = _("{rows} rows", rows=one.rows) if one.rows else ""
    yield f"<h2>{text(one.evaluator)} <small>{text(told)}</small></h2>{_asked(one)}"
    for metric in one.metrics:
        standings = one.standings(metric)
        low, high = _scale(standings)
        base = next((at.value for at in standings if at.model == one.base), None)
        head = _heads(_("model")) + _heads(metric, numbers=True) + "<th></th>"
        head += _heads(_("to {base}", base=one.base), "p", _("rows"), numbers=True) + "<th></th>"
        body = "".join(
            f"<tr><td>{text(at.model)}</td>{_value(at)}<td>{_picture(at, low, high, base)}</td>{_beside(at)}</tr>" for at in standings
        )
        yield _table(head, body, "", "")
        yield f'<p class="muted">{text(_metric(one, metric))}; {text(_("values with their 95 % intervals"))}</p>'
    missing = [said for label in one.results if (said := not_scored_text(one, label))]
    yield "".join(f"<p>{text(said)}</p>" for said in missing)


def _ranking(one: Comparison) -> Iterator[str]:
    if not one.metrics:
        return
    metric = one.metrics[0]
    ranking = one.ranking(metric)
    low, high = _scale(ranking)
    best = ranking[0].value if ranking else None
    head = _heads(_("place"), _("model"), _("run")) + _heads(metric, numbers=True) + "<th></th>"
    head += _heads(_("to the best"), "p", _("rows"), numbers=True) + "<th></th>"
    body = "".join(
        f'<tr><td>{place}</td><td>{text(at.model)}</td><td class="mono">{text(one.results[at.model].run)}</td>'
        f"{_value(at)}<td>{_picture(at, low, high, best)}</td>{_beside(at)}</tr>"
        for place, at in enumerate(ranking, 1)
    )
    yield _table(head, body, one.evaluator, f"{_metric(one, metric)}; {_('values with their 95 % intervals')}") + _asked(one)


def _answers(one: Comparison, shown: int) -> Iterator[str]:
    rows = answer_rows(one)
    if not rows:
        return
    count = sum(row.differs for row in rows)
    told = _("{count} of {all} rows are answered otherwise", count=count, all=len(rows))
    body = "".join(_answer(row, list(one.results)) for row in rows[:shown])
    more = _("{shown} of {all} rows are shown, those first that differ", shown=min(shown, len(rows)), all=len(rows))
    yield f'<h3>{text(told)} <small>{text(more)}</small></h3><div class="answers">{body}</div>'


def _answer(row: AnswerRow, models: Sequence[str]) -> str:
    """Question, expected answer, and what was said, each once with the models that said it: as wide for two models as for ten."""
    said: dict[str, list[str]] = {}
    for label in models:
        if sample := row.answers.get(label):
            told = {True: _YES, False: _NO}.get(sample.get("right"), "") or text(mark(sample))
            said.setdefault(told + text(sample.get("answer", "")), []).append(label)
    expected = f'<p class="muted">{text(_("expected"))}: {text(row.expected)}</p>' if row.expected else ""
    answers = "".join(f"<dt>{text(', '.join(labels))}</dt><dd>{answer}</dd>" for answer, labels in said.items())
    return f'<div class="{"answer unlike" if row.apart else "answer"}"><p>{text(row.question)}</p>{expected}<dl>{answers}</dl></div>'


def _asked(one: Comparison) -> str:
    """All that makes the results comparable."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{text(value) or '–'}</dd>" for name, value in one.identity.facts)
    return f'<details><summary class="muted">{text(_("how it was asked"))}</summary><dl class="env">{rows}</dl></details>'


def _models(found: Sequence[Comparison]) -> str:
    models: dict[str, Model] = {label: result.model for one in found for label, result in one.results.items()}
    head = _heads(_("model"), _("run"), _("format"), _("size"), _("digest"), _("source"))
    body = "".join(
        f'<tr><td>{text(label)}</td><td class="mono">{text(one.run)}</td><td>{text(one.format)}</td>'
        f'<td class="num">{"" if one.size is None else text(size(one.size))}</td><td class="mono">{text(one.key[:12])}</td>'
        f"<td>{text(one.source)}</td></tr>"
        for label, one in models.items()
    )
    return _table(head, body, _("Models"), "")


def _table(head: str, body: str, title: str, beside: str) -> str:
    heading = f"<h2>{text(title)} <small>{text(beside)}</small></h2>" if title else ""
    return f'{heading}<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _metric(one: Comparison, metric: str) -> str:
    better = one.better(metric)
    return f"{metric}, {translated(f'{better} is better')}" if better else metric


def _verdict(at: Standing) -> str:
    colour = at.verdict if at.verdict in (BETTER, WORSE) else ""
    return f'<span class="sub {colour}">{text(translated(at.verdict))}</span>' if at.verdict else ""


def _heads(*names: str, numbers: bool = False) -> str:
    return "".join(f"<th{' class=num' if numbers else ''}>{text(name)}</th>" for name in names)


def _value(at: Standing) -> str:
    """What was measured, its interval below it."""
    return f'<td class="num">{number(at.value)}{_bounds(at.interval)}</td>'


def _beside(at: Standing) -> str:
    """Difference with its interval, p, rows, verdict."""
    if at.difference is None:
        return "<td></td>" * 4
    p = f"{at.p:.2g}" if at.p is not None else ""
    value = f"{at.difference.value:+.4g}".replace("-", "−")
    return (
        f'<td class="num">{value}{_bounds(at.difference)}</td><td class="num">{p}</td><td class="num">{at.rows}</td><td>{_verdict(at)}</td>'
    )


def _bounds(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = (number(float(f"{end:.4g}")) for end in (interval.low, interval.high))
    return f'<span class="sub">{text(_("{low} to {high}", low=low, high=high))}</span>'


def _scale(standings: Sequence[Standing]) -> tuple[float, float]:
    ends = [end for at in standings for end in ((at.interval.low, at.interval.high) if at.interval else (at.value,))]
    return (min(ends), max(ends)) if ends else (0.0, 1.0)


def _picture(at: Standing, low: float, high: float, base: float | None) -> str:
    """The value as a dot on its interval; a thin line where the base is."""
    if not high > low:
        return ""

    def x(value: float) -> str:
        return f"{8 + (WIDTH - 16) * (value - low) / (high - low):.1f}"

    middle = HEIGHT / 2
    lines = f'<line class="base" x1="{x(base)}" x2="{x(base)}" y1="0" y2="{HEIGHT}"/>' if base is not None else ""
    if at.interval:
        lines += f'<line x1="{x(at.interval.low)}" x2="{x(at.interval.high)}" y1="{middle}" y2="{middle}"/>'
    return f'<svg class="picture" viewBox="0 0 {WIDTH} {HEIGHT}">{lines}<circle cx="{x(at.value)}" cy="{middle}" r="5"/></svg>'
