"""Pictures of a search as inline SVG: its history, and its trials as lines over the parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tunesmith_cli.api import gettext as _
from tunesmith_report.api import number, text, ticks
from tunesmith_tune.api import Parameter
from tunesmith_tune.report.result import SearchResult

WIDTH, HEIGHT = 960, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 14, 36

#: beside the report's own style
CSS = """
svg .trial{fill:none;stroke:var(--muted);stroke-width:1;opacity:.35}svg .good{fill:none;stroke:var(--cool);stroke-width:1.6;opacity:.8}
svg .first{fill:none;stroke:var(--accent);stroke-width:3}svg .beside{fill:var(--muted);opacity:.6}svg .won{fill:var(--accent)}
svg .value{fill:var(--ink)}
"""


def states() -> dict[str, str]:
    """What a trial's state is called."""
    return {"done": _("done"), "pruned": _("pruned"), "paused": _("paused"), "failed": _("failed"), "running": _("running")}


def history(result: SearchResult) -> str:
    """Each trial's score, and the best so far."""
    done = [trial for trial in result.trials if trial.state == "done"]
    if not done:
        return ""
    goal = result.search.goals[0]
    low, high = _usual([trial.scores[0] for trial in done], higher=goal.better == "higher")
    marks = ticks(low, high, 4)
    last = max(2, len(result.trials))
    x = _scale(1, last, _LEFT, WIDTH - _RIGHT)
    y = _scale(marks[0], marks[-1], HEIGHT - _BOTTOM, _TOP)
    parts = _axes(marks, y, [v for v in ticks(1, last, 8) if 1 <= v <= last and float(v).is_integer()], x, _("trial"))
    path, so_far = [], math.inf
    for trial in done:
        cost = goal.cost(trial.scores[0])
        if cost < so_far:
            if path:
                path.append(f"H{x(trial.number + 1):.1f}")
            path.append(f"{'V' if path else f'M{x(trial.number + 1):.1f} '}{y(trial.scores[0]):.1f}")
            so_far = cost
    path.append(f"H{x(last):.1f}")
    parts.append(f'<path class="line" d="{"".join(path)}"/>')
    for trial in done:
        place = min(max(trial.scores[0], marks[0]), marks[-1])
        won = "won" if result.best and trial.number == result.best.number else "beside"
        said = text(_("trial {number}: {score}", number=trial.number + 1, score=number(trial.scores[0])))
        parts.append(f'<circle class="{won}" cx="{x(trial.number + 1):.1f}" cy="{y(place):.1f}" r="4"><title>{said}</title></circle>')
    for trial in result.trials:
        if trial.state in ("failed", "pruned"):
            at, down = x(trial.number + 1), HEIGHT - _BOTTOM
            kind = "lost" if trial.state == "failed" else "axis"
            said = text(_("trial {number}: {state}", number=trial.number + 1, state=states()[trial.state]))
            parts.append(f'<path class="{kind}" d="M{at - 4:.1f} {down - 4}l8 8m0 -8l-8 8"><title>{said}</title></path>')
    return _svg(parts, _("{metric} of {trials} trials", metric=goal.name, trials=len(done)))


def parallel_coordinates(result: SearchResult) -> str:
    """A line for each trial that came to its end: through its values, to its score."""
    done = [trial for trial in result.trials if trial.state == "done"]
    if len(done) < 2:
        return ""
    goal, space = result.search.goals[0], result.search.space
    low, high = _usual([trial.scores[0] for trial in done], higher=goal.better == "higher")
    across = _scale(0, len(space), 90, WIDTH - 90)
    y = _scale(0, 1, HEIGHT - _BOTTOM, _TOP + 12)
    parts = []
    for place, parameter in enumerate(space):
        parts += _axis(across(place), y, parameter)
    parts += _column(across(len(space)), y, goal.name, [(0, number(low)), (1, number(high))])
    order = sorted(done, key=lambda trial: -goal.cost(trial.scores[0]))
    for rank, trial in enumerate(order, 1):
        left = len(order) - rank
        kind = "first" if not left else "good" if left < max(2, len(order) // 4) else "trial"
        ends = [y(parameter.share(trial.values[parameter.name])) for parameter in space]
        ends.append(y(min(max((trial.scores[0] - low) / (high - low), 0), 1) if high > low else 0.5))
        points = "L".join(f"{across(place):.1f} {end:.1f}" for place, end in enumerate(ends))
        said = text(_("trial {number}: {score}", number=trial.number + 1, score=number(trial.scores[0])))
        parts.append(f'<path class="{kind}" d="M{points}"><title>{said}</title></path>')
    return _svg(parts, _("values and {metric} of {trials} trials", metric=goal.name, trials=len(done)))


def _axis(x: float, y: Callable[[float], float], parameter: Parameter) -> list[str]:
    name = parameter.name.removeprefix("steps.").replace(".settings.", ".")
    if parameter.form == "choice":
        return _column(x, y, name, [(parameter.share(one), str(one)) for one in parameter.choices])
    middle = parameter.spread(3)[1:-1]
    return _column(x, y, name, [(parameter.share(one), number(float(one))) for one in (*parameter.spread(2), *middle)])


def _column(x: float, y: Callable[[float], float], name: str, marks: Sequence[tuple[float, str]]) -> list[str]:
    parts = [f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y(0):.1f}" y2="{y(1):.1f}"/>']
    parts.append(f'<text class="label" x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{text(name)}</text>')
    return parts + [f'<text class="value" x="{x + 7:.1f}" y="{y(place) + 4:.1f}">{text(said)}</text>' for place, said in marks]


def _usual(scores: Sequence[float], *, higher: bool) -> tuple[float, float]:
    """The range that is drawn: what is far worse than most is drawn at its end."""
    ordered = sorted(scores)
    quarter, half = ordered[len(ordered) // 4], ordered[len(ordered) // 2]
    reach = 4 * max(abs(half - quarter), abs(ordered[3 * len(ordered) // 4] - half), 1e-9 * max(1.0, abs(half)))
    return (max(ordered[0], half - reach), ordered[-1]) if higher else (ordered[0], min(ordered[-1], half + reach))


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: begin + (value - low) / ((high - low) or 1) * (end - begin)


def _axes(
    marks: Sequence[float], y: Callable[[float], float], across: Sequence[float], x: Callable[[float], float], unit: str
) -> list[str]:  # fmt: skip
    base = HEIGHT - _BOTTOM
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>' for v in marks]
    parts += [f'<text x="{_LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{number(v)}</text>' for v in marks]
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>')
    parts += [f'<text x="{x(v):.1f}" y="{base + 18}" text-anchor="middle">{number(v)}</text>' for v in across]
    parts.append(f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 2}" text-anchor="end">{unit}</text>')
    return parts


def _svg(parts: Sequence[str], label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(label)}">{"".join(parts)}</svg>'
