"""The report of a search as one HTML page, and the same as data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import tunesmith
from tunesmith.errors import shown
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import language, translated, write_whole
from tunesmith_report.api import CSS, number, text
from tunesmith_tune.api import Goal, Trial
from tunesmith_tune.report import charts
from tunesmith_tune.report.result import SearchResult

PAGE, DATA = "report.html", "report.json"


def write_report(result: SearchResult, folder: Path) -> Path:
    """Write ``report.html`` and ``report.json``, each so that a reader sees the old or the new one."""
    for name, content in ((DATA, json.dumps(result.to_json(), indent=1, ensure_ascii=False)), (PAGE, page_of(result))):
        write_whole(folder / name, content)
    return folder / PAGE


def page_of(result: SearchResult) -> str:
    name = result.folder.name
    body = "\n".join((*_head(result), *_pictures(result), *_importance(result), *_table(result), *_file(result)))
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1">'
        f"<title>{text(name)}</title><style>{CSS}{charts.CSS}</style></head>\n<body><main>\n{body}\n"
        f"<footer>{_('Made by Tunesmith {version}. The same as data: {file}.', version=tunesmith.__version__, file=DATA)}</footer>"
        "</main></body></html>\n"
    )


def _head(result: SearchResult) -> Iterator[str]:
    states = [trial.state for trial in result.trials]
    words = [(state, word) for state, word in charts.states().items() if state in states]
    counts = _(", ").join(f"{states.count(state)} {word}" for state, word in words)
    told = _(
        "{counts}; by {searcher}, seed {seed}. It ended because {reason}.", counts=counts, searcher=result.searcher,
        seed=result.search.seed, reason=translated(result.reason) or _("it was asked to"),
    )  # fmt: skip
    yield f"<header><h1>{_('Search')} <small class='muted'>{text(result.folder.name)}</small></h1><p class='muted'>{text(told)}</p>"
    minutes = _("{minutes} min", minutes=f"{result.spent / 60:.3g}")
    tiles = [(minutes, _("time, over all sessions")), (str(len(result.trials)), _("trials"))]
    if result.best:
        scores = zip(result.search.goals, result.best.scores, strict=True)
        tiles = [*((number(score), _better(goal)) for goal, score in scores), *tiles]
        tiles.append((str(result.best.number + 1), _("the best trial")))
    yield '<div class="tiles">' + "".join(f"<div class='tile'><b>{text(a)}</b><span>{text(b)}</span></div>" for a, b in tiles) + "</div>"
    yield "</header>"


def _better(goal: Goal) -> str:
    return _("{metric}, lower is better", metric=goal.name) if goal.better == "lower" else _("{metric}, higher is better", metric=goal.name)


def _pictures(result: SearchResult) -> Iterator[str]:
    goal = result.search.goals[0]
    drawn = charts.history(result)
    if drawn:
        said = _("dots: trials; line: the best so far; crosses: given up or failed")
        yield f'<h2>{_("History")}</h2><figure class="wide"><figcaption>{text(goal.name)} <span>{said}</span></figcaption>{drawn}</figure>'
    drawn = charts.parallel_coordinates(result)
    if drawn:
        said = _("a line for each trial that came to its end; orange: the best, blue: the best quarter")
        caption = f"{_('Parameters and score')} <span>{said}</span>"
        yield f'<h2>{_("Values")}</h2><figure class="wide"><figcaption>{caption}</figcaption>{drawn}</figure>'


def _importance(result: SearchResult) -> Iterator[str]:
    if result.importance:
        count = sum(trial.state == "done" for trial in result.trials)
        said = _("share of the differences that each parameter explains by itself, over {count} trials", count=count)
        yield f"<h2>{_('Importance')} <small>{said}</small></h2>"
        bars = [
            f"<div><span>{text(name)}</span><i style='width:{max(share * 100, 0.5):.1f}%'></i><span class='num'>{share:.0%}</span></div>"
            for name, share in result.importance.items()
        ]
        yield f'<div class="sizes">{"".join(bars)}</div>'


def _table(result: SearchResult) -> Iterator[str]:
    names = [parameter.name for parameter in result.search.space]
    goals = [goal.name for goal in result.search.goals]
    yield f"<h2>{_('Trials')}</h2><div class='scroll'><table><thead><tr><th>{_('trial')}</th><th>{_('state')}</th>"
    yield "".join(f"<th>{text(name.removeprefix('steps.'))}</th>" for name in names) + "".join(f"<th>{text(name)}</th>" for name in goals)
    yield f"<th>{_('came to')}</th><th>{_('time')}</th><th>{_('run')}</th></tr></thead><tbody>"
    yield from (_row(result, trial, names) for trial in result.trials)
    yield "</tbody></table></div>"


def _row(result: SearchResult, trial: Trial, names: list[str]) -> str:
    leg = result.last(trial.number)
    state = charts.states()[trial.state]
    kind = {"done": "done", "failed": "failed", "paused": "cached"}.get(trial.state, "")
    on_front = any(one.number == trial.number for one in result.front)
    cells = [f"<td{' class=best' if on_front else ''}>{trial.number + 1}</td><td><span class='badge {kind}'>{state}</span>"]
    if leg.error:
        cells.append(f"<span class='sub'>{text(leg.error.code)}: {text(translated(leg.error.what))}</span>")
    if leg.same_as is not None:
        cells.append(f"<span class='sub'>{_('as trial {number}', number=leg.same_as + 1)}</span>")
    cells.append("</td>")
    cells += [f"<td class='num'>{text(_value(trial.values[name]))}</td>" for name in names]
    cells += [f"<td class='num'>{number(score)}</td>" for score in trial.scores] or ["<td></td>"] * len(result.search.goals)
    reached = f"{trial.points[-1].share:.0%}" if trial.points and trial.state != "done" else ""
    cells.append(f"<td class='num'>{reached}</td><td class='num'>{result.seconds(trial.number):.1f} s</td>")
    return f"<tr>{''.join(cells)}<td class='mono'>{text(leg.run)}</td></tr>"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value) if isinstance(value, str) else shown(value)


def _file(result: SearchResult) -> Iterator[str]:
    if result.pipeline and result.pipeline.is_file():
        yield f"<h2>{_('Best pipeline')} <small>{text(result.pipeline.name)}</small></h2>"
        yield f"<pre>{text(result.pipeline.read_text(encoding='utf-8').rstrip())}</pre>"
