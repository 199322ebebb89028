"""The curve of a range test, as a page."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import tunesmith
from tunesmith_cli.api import gettext as _
from tunesmith_cli.api import language, write_whole
from tunesmith_report.api import CSS, number, text, ticks
from tunesmith_tune.find_lr.suggestion import Suggestion, smoothed

WIDTH, HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 16, 36
_STYLE = (
    "svg .faint{fill:none;stroke:var(--muted);opacity:.4}svg .mark{stroke:var(--accent);stroke-dasharray:5 4}svg .end{stroke:var(--bad)}"
)


def write_page(folder: Path, step: str, points: Sequence[tuple[float, float]], found: Suggestion | None) -> Path:
    """Write ``find-lr.html`` and ``find-lr.json`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    told = found._asdict() if found else None
    data = {"step": step, "suggestion": told, "points": [[rate, loss if math.isfinite(loss) else None] for rate, loss in points]}
    for name, content in (("find-lr.json", json.dumps(data, indent=1)), ("find-lr.html", page_of(step, points, found))):
        write_whole(folder / name, content)
    return folder / "find-lr.html"


def page_of(step: str, points: Sequence[tuple[float, float]], found: Suggestion | None) -> str:
    tiles = [("", _("no rate to suggest"))]
    if found:
        rate = number(found.rate) if found.rate else _("none")
        tiles = [(rate, _("the loss falls fastest")), (number(found.least), _("the loss is least"))]
        tiles += [(number(found.too_high), _("the loss rises again"))] if found.too_high else []
    shown = "".join(f"<div class='tile'><b>{text(value)}</b><span>{text(what)}</span></div>" for value, what in tiles)
    said = _("{steps} steps; faint: each, bold: smoothed", steps=len(points))
    caption = f"{_('loss over the learning rate')} <span>{said}</span>"
    name, foot = (_("Learning rate of {step}", step=step), _("Made by Tunesmith {version}. The same as data: {file}.",
                  version=tunesmith.__version__, file="find-lr.json"))  # fmt: skip
    return (
        f'<!doctype html>\n<html lang="{language()}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{text(name)}</title>'
        f"<style>{CSS}{_STYLE}</style></head>\n"
        f"<body><main><header><h1>{text(name)}</h1>"
        f'<div class="tiles">{shown}</div></header><figure class="wide"><figcaption>{caption}</figcaption>{curve(points, found)}</figure>'
        f"<footer>{foot}</footer></main></body></html>\n"
    )


def curve(points: Sequence[tuple[float, float]], found: Suggestion | None) -> str:
    """The losses over the rate, on a logarithmic scale; what is far above the beginning is drawn at the top."""
    good = [(rate, loss) for rate, loss in points if math.isfinite(loss) and rate > 0]
    if len(good) < 2:
        return ""
    even = smoothed([loss for _, loss in good])
    low, high = min(even), max(even[0], even[min(3, len(even) - 1)]) * 1.3
    marks = ticks(low, high, 4)
    x = _scale(math.log10(good[0][0]), math.log10(good[-1][0]), _LEFT, WIDTH - _RIGHT)
    y = _scale(marks[0], marks[-1], HEIGHT - _BOTTOM, _TOP)

    def place(rate: float, loss: float) -> str:
        return f"{x(math.log10(rate)):.1f} {y(min(max(loss, marks[0]), marks[-1])):.1f}"

    base = HEIGHT - _BOTTOM
    parts = [f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>' for v in marks]
    parts += [f'<text x="{_LEFT - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{number(v)}</text>' for v in marks]
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>')
    for power in range(math.ceil(math.log10(good[0][0])), math.floor(math.log10(good[-1][0])) + 1):
        parts.append(f'<text x="{x(power):.1f}" y="{base + 18}" text-anchor="middle">1e{power}</text>')
    parts.append(f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 2}" text-anchor="end">{_("learning rate")}</text>')
    parts.append(f'<path class="faint" d="M{"L".join(place(*point) for point in good)}"/>')
    parts.append(f'<path class="line" d="M{"L".join(place(rate, loss) for (rate, _), loss in zip(good, even, strict=True))}"/>')
    for rate, kind in ((found.rate, "mark"), (found.too_high, "end")) if found else ():
        if rate:
            at = x(math.log10(rate))
            parts.append(f'<line class="{kind}" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{base}"><title>{number(rate)}</title></line>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="loss over the learning rate">{"".join(parts)}</svg>'


def _scale(low: float, high: float, begin: float, end: float) -> Callable[[float], float]:
    return lambda value: begin + (value - low) / ((high - low) or 1) * (end - begin)
